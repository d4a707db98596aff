"""`fas import` as a user types it, and what can be done with its run."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result

from fas_core.descriptors import Backbone
from fas_core.registry import registry

Fas = Callable[..., Result]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A FeatherNetA as `DataParallel` saved it."""
    component = registry().find(Backbone, "feathernet_a")
    torch.manual_seed(3)
    network = component.load()(component.options(), input_size=64)
    weights = {
        f"module.{network.published_name(name)}": value for name, value in network.state_dict().items()
    }
    path = tmp_path_factory.mktemp("published") / "checkpoint.pth.tar"
    torch.save({"epoch": 3, "arch": "FeatherNetA", "state_dict": weights, "best_prec1": 99.0}, path)
    return path


@pytest.fixture(scope="module")
def run(checkpoint: Path, faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from click.testing import CliRunner

    from fas_core.cli import main

    path = tmp_path_factory.mktemp("imported") / "run"
    arguments = ["import", checkpoint, "--arch", "feathernet_a", "-o", path, "--modality", "rgb"]
    arguments += ["--input-size", 64, "--data", faces]
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    assert "233 entries" in result.stdout
    assert "takes rgb at 64 px, mean 0.143" in result.stdout
    assert "threshold fixed:0.5" in result.stdout
    return path


def test_its_run_is_judged_and_exported(fas: Fas, run: Path, tmp_path: Path) -> None:
    judged = fas("eval", run, "--json")
    assert judged.exit_code == 0, judged.output
    assert json.loads(judged.stdout)["threshold"] == {"value": 0.5, "policy": "fixed:0.5", "source": "given"}
    exported = fas("export", run, "-o", tmp_path / "model.onnx", "--samples", 4, "--json")
    assert exported.exit_code == 0, exported.output
    document = json.loads(exported.stdout)
    assert document["modalities"] == ["rgb"]
    assert document["files"][0]["max_difference"] < 1e-4


def test_it_is_exported_without_the_data_it_was_trained_on(
    fas: Fas, checkpoint: Path, faces: Path, tmp_path: Path
) -> None:
    arguments = ["--arch", "feathernet_a", "--modality", "rgb", "--input-size", 64, "-o", tmp_path / "run"]
    assert fas("import", checkpoint, *arguments).exit_code == 0
    refused = fas("export", tmp_path / "run")
    assert refused.exit_code == 2
    assert "say where it lies, as casia_surf:ROOT (--data names other data" in refused.stderr
    exported = fas("export", tmp_path / "run", "--data", faces, "--samples", 4, "--json")
    assert exported.exit_code == 0, exported.output
    assert json.loads(exported.stdout)["files"][0]["max_difference"] < 1e-4


def test_a_predicted_map_is_judged_and_exported_by_its_mean(fas: Fas, faces: Path, tmp_path: Path) -> None:
    component = registry().find(Backbone, "cdcn")
    network = component.load()(component.options(), input_size=32)
    weights = {network.published_name(name): value for name, value in network.state_dict().items()}
    torch.save(weights, tmp_path / "cdcn.pth")
    arguments = ["--arch", "cdcn", "--modality", "rgb", "--input-size", 32, "--data", faces]
    imported = fas("import", tmp_path / "cdcn.pth", *arguments, "-o", tmp_path / "run")
    assert imported.exit_code == 0, imported.output
    flags = ("--samples", 4, "--keep-data-root")
    exported = fas("export", tmp_path / "run", "-o", tmp_path / "model.onnx", *flags)
    assert exported.exit_code == 0, exported.output
    ours, theirs = (fas("eval", tmp_path / name, "--json") for name in ("run", "model.onnx"))
    assert ours.exit_code == theirs.exit_code == 0, ours.output + theirs.output
    assert json.loads(ours.stdout)["metrics"] == json.loads(theirs.stdout)["metrics"]


def test_its_run_predicts_as_it_is_judged(fas: Fas, run: Path, faces: Path, tmp_path: Path) -> None:
    judged = fas("eval", run, "--scores", tmp_path / "scores.csv")
    assert judged.exit_code == 0, judged.output
    predicted = fas("predict", run, faces / "test", "--no-detect", "--threads", 1, "--json")
    assert predicted.exit_code == 0, predicted.output
    document = json.loads(predicted.stdout)
    assert document["threshold"]["policy"] == "fixed:0.5"
    with (tmp_path / "scores.csv").open() as file:
        expected = sorted(float(row["score"]) for row in csv.DictReader(file))
    assert sorted(row["score"] for row in document["rows"]) == pytest.approx(expected, abs=1e-6)
    assert {row["verdict"] for row in document["rows"]} <= {"live", "attack"}
    refused = fas("predict", run, faces / "test", "--foreign", tmp_path / "terms.yaml")
    assert refused.exit_code == 2
    assert "is a run" in refused.stderr


def test_what_was_taken_is_kept(run: Path, checkpoint: Path) -> None:
    record = json.loads((run / "import.json").read_text())
    assert record["source"] == str(checkpoint)
    assert record["classes"] == 2
    assert len(record["pairs"]) == 233
    assert record["missing"] == record["left"] == record["reshaped"] == []


def test_pairs_by_order_are_printed(fas: Fas, checkpoint: Path, tmp_path: Path) -> None:
    arguments = ["--arch", "feathernet_a", "--input-size", 64, "--match", "order", "-o", tmp_path / "run"]
    result = fas("import", checkpoint, *arguments)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["backbones.depth.streaming.weight", "final_DW.0.weight"] in lines


def test_partial_warns_of_what_is_fresh(fas: Fas, checkpoint: Path, tmp_path: Path) -> None:
    arguments = ["--arch", "feathernet_b", "--input-size", 64, "-o", tmp_path / "run"]
    refused = fas("import", checkpoint, *arguments)
    assert refused.exit_code == 2
    assert "--partial takes the" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()
    taken = fas("import", checkpoint, *arguments, "--partial")
    assert taken.exit_code == 0, taken.output
    assert "missing in the file and keep random weights" in taken.stderr


def test_a_thousand_classes_give_weights_to_train_from(fas: Fas, faces: Path, tmp_path: Path) -> None:
    component = registry().find(Backbone, "mobilenetv2")
    network = component.load()(component.options(), input_size=64, num_classes=1000)
    weights = {network.published_name(name): value for name, value in network.state_dict().items()}
    torch.save(weights, tmp_path / "mobilenetv2.pth.tar")
    arguments = ["--arch", "mobilenetv2", "--modality", "rgb", "--input-size", 64, "-o", tmp_path / "run"]
    imported = fas("import", tmp_path / "mobilenetv2.pth.tar", *arguments)
    assert imported.exit_code == 0, imported.output
    assert "1000 classes cannot mean live and attack" in imported.stderr
    judged = fas("eval", tmp_path / "run", "--data", faces)
    assert judged.exit_code == 2
    assert "pretrained weights only" in judged.stderr
    tuned = fas(
        *("train", tmp_path / "run" / "recipe.yaml", "--data", faces, "--runs", tmp_path, "--name", "tuned"),
        *("--epochs", 1, "-b", 12, "-j", 0, "--device", "cpu"),
    )
    assert tuned.exit_code == 0, tuned.output
    assert "pretrained rgb: 312 entries of" in tuned.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/no/such.pth", "--arch", "feathernet_a"], "no such file"),
        (["{checkpoint}", "--arch", "feathernet_c"], "feathernet_b"),
        (["{checkpoint}", "--arch", "feathernet_a", "--recipe", "nosuch"], "nosuch"),
        (["{checkpoint}", "--arch", "feathernet_a", "-o", "{run}"], "exists already"),
        (["{checkpoint}", "--arch", "feathernet_a", "--std", "0", "1", "1"], "must be > 0"),
        (["{checkpoint}", "--arch", "feathernet_a", "--threshold", "best"], "threshold"),
    ],
)
def test_a_mistake_is_one_line(
    fas: Fas, checkpoint: Path, run: Path, arguments: list[str], said: str
) -> None:
    result = fas("import", *(text.format(checkpoint=checkpoint, run=run) for text in arguments))
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
