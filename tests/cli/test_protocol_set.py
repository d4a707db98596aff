"""`fas train --protocol` of a set of sub-protocols, as a user types it."""

from __future__ import annotations

import json
import shutil
import signal
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from fas_core.runs.run import Run
from fas_core.scores.table import ScoreTable

Fas = Callable[..., Result]
MEMBERS = ["4@1", "4@2", "4@3"]
SMALL = ("--input-size", 32, "-b", 4, "--set", "loss.gamma=2")


def recipe_of(run: Path) -> dict:
    return yaml.safe_load((run / "recipe.yaml").read_text())


def changed_at(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def test_every_sub_protocol_is_a_run_of_its_own(trained_set: Path, cefa: Path) -> None:
    for member in MEMBERS:
        data = recipe_of(trained_set / member)["data"]
        assert data == {"name": "cefa", "root": str(cefa), "protocol": member}
        test = ScoreTable.read(trained_set / member / "scores" / "test.csv")
        assert {video[5] for video in test.table.column("video").to_pylist()} == {member[-1]}


def test_the_figures_are_the_mean_and_sample_deviation_of_the_runs(trained_set: Path) -> None:
    results = json.loads((trained_set / "results.json").read_text())
    assert results["protocol"] == "cefa-4"
    assert list(results["splits"]) == ["dev", "test"]
    own = [json.loads((trained_set / member / "results.json").read_text()) for member in MEMBERS]
    assert results["train_hours"] == pytest.approx(sum(found["train_hours"] for found in own))
    test = results["splits"]["test"]
    assert list(test["protocols"]) == MEMBERS
    for figure in ("acer", "eer", "bpcer", "apcer_max"):
        values = [found["splits"]["test"]["metrics"][figure] for found in own]
        assert test["mean"][figure] == pytest.approx(statistics.fmean(values))
        assert test["sd"][figure] == pytest.approx(statistics.stdev(values))
    for member, found in zip(MEMBERS, own, strict=True):
        threshold = found["splits"]["dev"]["threshold"]  # of its own dev
        assert test["protocols"][member]["threshold"] == threshold
        assert threshold["source"] == "dev"


def test_a_run_of_a_set_is_as_if_trained_alone(
    fas: Fas, trained_set: Path, recipe_file: Path, cefa: Path, tmp_path: Path
) -> None:
    arguments = [
        "train",
        recipe_file,
        "--data",
        cefa,
        "--protocol",
        "cefa-4@2",
        *SMALL,
        "--runs",
        tmp_path,
        "-q",
    ]
    result = fas(*arguments)
    assert result.exit_code == 0, result.output
    alone, of_set = tmp_path / "tiny", trained_set / "4@2"
    assert recipe_of(alone) == recipe_of(of_set)
    assert (alone / "best.safetensors").read_bytes() == (of_set / "best.safetensors").read_bytes()
    assert not (alone / "protocol_set.yaml").exists()


def test_what_is_finished_is_not_trained_again(fas: Fas, trained_set: Path, tmp_path: Path) -> None:
    """One was never begun, one was killed before it saved anything; both are trained, the third stays."""
    copied = tmp_path / "three"
    shutil.copytree(trained_set, copied)
    shutil.rmtree(copied / "4@3")
    for path in (copied / "4@2").iterdir():
        if path.name != "recipe.yaml":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = changed_at(copied / "4@1")
    result = fas("train", "--resume", copied)
    assert result.exit_code == 0, result.output
    assert changed_at(copied / "4@1") == before
    assert "4@1: trained before" in result.stdout
    assert "mean" in result.stdout
    assert "± sd" in result.stdout
    fresh, stored = (json.loads((path / "results.json").read_text()) for path in (copied, trained_set))
    assert fresh["splits"] == stored["splits"]


def test_more_epochs_for_all(fas: Fas, trained_set: Path, tmp_path: Path) -> None:
    copied = tmp_path / "three"
    shutil.copytree(trained_set, copied)
    result = fas("train", "--resume", copied, "--epochs", 2, "--json")
    assert result.exit_code == 0, result.output
    assert set(json.loads(result.stdout)) == {"protocol", "train_hours", "splits", "weights", "sha256"}
    for member in MEMBERS:
        assert len((copied / member / "metrics.jsonl").read_text().splitlines()) == 2


def test_ctrl_c_says_how_to_go_on(
    fas: Fas, recipe_file: Path, cefa: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Run.append_metrics

    def interrupted(run: Run, record: dict[str, Any]) -> None:
        written(run, record)
        if run.path.name == "4@2":
            signal.raise_signal(signal.SIGINT)

    options = ["--data", cefa, "--protocol", "cefa-4", *SMALL, "--epochs", 3, "--runs", tmp_path]
    with monkeypatch.context() as patch:
        patch.setattr(Run, "append_metrics", interrupted)
        result = fas("train", recipe_file, *options)
    runs = tmp_path / "tiny"
    assert result.exit_code == 130
    assert f"fas train --resume {runs}`" in result.stderr
    assert "Traceback" not in result.output
    assert not (runs / "4@3").exists()
    refused = fas("eval", runs)
    assert refused.exit_code == 2
    assert "4@2 and 4@3 not trained to the end" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    result = fas("train", "--resume", runs)
    assert result.exit_code == 0, result.output
    assert "continued at epoch 2" in result.stdout
    for member in MEMBERS:
        assert len((runs / member / "metrics.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["{recipe}", "--protocol", "cefa"],
            "must be DATASET-PROTOCOL, e.g. cefa-4@1, or a set of them: cefa-4",
        ),
        (["{recipe}", "--protocol", "cefa-"], "must be DATASET-PROTOCOL"),
        (["{recipe}", "--protocol", "ceva-4"], "must be DATASET-PROTOCOL"),
        (["{recipe}", "--protocol", "cefa-4"], "say where it lies, as cefa:ROOT"),
        (["{recipe}", "--protocol", "cefa-5@1", "--data", "{cefa}"], "data.protocol"),
        (["{recipe}", "--protocol", "folder-4"], "data.protocol: unknown key"),
        (["--resume", "{set}", "--protocol", "cefa-4"], "it takes no --protocol"),
        (["--resume", "{set}", "--lr", "1"], "it takes no train.lr"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    fas: Fas,
    recipe_file: Path,
    trained_set: Path,
    cefa: Path,
    tmp_path: Path,
    arguments: list[str],
    said: str,
) -> None:
    filled = [text.format(recipe=recipe_file, set=trained_set, cefa=cefa) for text in arguments]
    result = fas("train", *filled, "--runs", tmp_path / "runs")
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_sub_protocol_that_is_wrong_is_named_before_any_is_trained(
    fas: Fas, recipe_file: Path, cefa: Path, tmp_path: Path
) -> None:
    shutil.copytree(cefa, tmp_path / "cefa")
    (tmp_path / "cefa/phase1/4@3_train.txt").write_text("train/3_000_1_1_3/profile/0001.jpg 0\n")
    options = ["--data", tmp_path / "cefa", "--protocol", "cefa-4", *SMALL, "--runs", tmp_path / "runs"]
    result = fas("train", recipe_file, *options)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: 4@3: ")
    assert "only attacks" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_holds_a_set_is_not_written_over(
    fas: Fas, trained_set: Path, recipe_file: Path, cefa: Path
) -> None:
    options = ["--data", cefa, "--protocol", "cefa-4", *SMALL, "--runs", trained_set.parent]
    before = changed_at(trained_set)
    result = fas("train", recipe_file, *options, "--name", trained_set.name)
    assert result.exit_code == 2
    assert "holds runs: choose another --name" in result.stderr
    assert changed_at(trained_set) == before
