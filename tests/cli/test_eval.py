"""`fas eval` as a user types it, on a run and on an exported model."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Fas = Callable[..., Result]
FIGURES = {
    "acc",
    "eer",
    "tpr@fpr=1e-2",
    "tpr@fpr=1e-3",
    "apcer",
    "bpcer",
    "acer",
    "auc",
    "apcer_max",
    "acer_max",
}


@pytest.fixture(scope="session")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from click.testing import CliRunner

    from fas_core.cli import main

    path = tmp_path_factory.mktemp("models") / "model.onnx"
    result = CliRunner().invoke(main, ["export", str(trained), "-o", str(path), "--keep-data-root"])
    assert result.exit_code == 0, result.output
    return path


def test_the_run_gives_the_figures_of_its_training(fas: Fas, trained: Path) -> None:
    document = json.loads(fas("eval", trained, "--json").stdout)
    stored = json.loads((trained / "results.json").read_text())["splits"]["test"]
    assert set(document["metrics"]) >= FIGURES
    assert document["metrics"] == stored["metrics"]
    assert document["threshold"] == stored["threshold"]
    assert document["counts"]["total"] == 24


def test_the_exported_model_gives_the_same_table(fas: Fas, trained: Path, exported: Path) -> None:
    run, model = fas("eval", trained), fas("eval", exported)
    assert run.exit_code == model.exit_code == 0, model.output
    tables = [result.stdout.partition("next:")[0] for result in (run, model)]
    assert tables[0] == tables[1]
    assert "ACER" in model.stdout


def test_an_exported_model_that_does_not_name_its_data_is_told_of_them(
    fas: Fas, trained: Path, faces: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.onnx"
    assert fas("export", trained, "-o", model, "-q").exit_code == 0
    refused = fas("eval", model)
    assert refused.exit_code == 2
    assert f"{model}: does not say where its data 'folder' lies: give --data folder:ROOT" in refused.stderr
    data = f"folder:{faces}"
    own, run = (json.loads(fas("eval", path, "--data", data, "--json").stdout) for path in (model, trained))
    assert own["metrics"] == run["metrics"]


@pytest.mark.parametrize("json_flag", [(), ("--json",)])
def test_what_is_next_is_printed_after_the_tables(
    fas: Fas, trained: Path, exported: Path, json_flag: tuple[str, ...]
) -> None:
    texts = [fas("eval", path, *json_flag).stdout for path in (trained, exported)]
    assert [f"  fas report {trained}\n" in texts[0], f"  fas serve {exported}\n" in texts[1]] == [
        not json_flag
    ] * 2


def test_scores_are_written_one_a_sample(fas: Fas, trained: Path, tmp_path: Path) -> None:
    result = fas("eval", trained, "--split", "dev", "--scores", tmp_path / "scores.csv")
    assert result.exit_code == 0, result.output
    with (tmp_path / "scores.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 24
    assert {row["label"] for row in rows} == {"0", "1"}
    assert {row["species"] for row in rows} == {"live", "print", "replay"}
    live = [float(row["score"]) for row in rows if row["label"] == "1"]
    attack = [float(row["score"]) for row in rows if row["label"] == "0"]
    assert sum(live) / len(live) > sum(attack) / len(attack)


def test_a_threshold_may_be_given(fas: Fas, exported: Path) -> None:
    document = json.loads(fas("eval", exported, "--threshold", "fixed:2", "--json").stdout)
    assert document["threshold"] == {"value": 2.0, "policy": "fixed:2", "source": "given"}
    assert document["metrics"]["bpcer"] == 1
    assert document["metrics"]["apcer"] == 0


def test_an_unlabelled_list_gives_scores_and_no_table(
    fas: Fas, exported: Path, faces: Path, tmp_path: Path
) -> None:
    photos = sorted((faces / "test" / "live").glob("*.png"))
    (tmp_path / "list.csv").write_text("id,rgb\n" + "".join(f"{path.stem},{path}\n" for path in photos))
    result = fas("eval", exported, "--data", tmp_path / "list.csv", "--scores", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    assert "ACER" not in result.stdout
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1 + len(photos)


def test_one_class_gives_what_is_defined_and_a_dash(
    fas: Fas, exported: Path, faces: Path, tmp_path: Path
) -> None:
    photos = sorted((faces / "test" / "live").glob("*.png"))
    rows = "".join(f"{path.stem},{path},1\n" for path in photos)
    (tmp_path / "live.csv").write_text("id,rgb,label\n" + rows)
    result = fas("eval", exported, "--data", tmp_path / "live.csv", "--json")
    metrics = json.loads(result.stdout)["metrics"]
    assert metrics["bpcer"] is not None
    assert metrics["apcer"] is None
    assert metrics["auc"] is None
    shown = fas("eval", exported, "--data", tmp_path / "live.csv")
    assert "      -  " in shown.stdout
    assert "no attacks" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/no/such/run"], "/no/such/run"),
        (["{faces}"], "not a run folder"),
        (["{trained}", "--split", "tset"], "tset"),
        (["{trained}", "--data", "/no/such/data"], "/no/such/data"),
        (["{trained}", "--threshold", "best"], "threshold"),
        (["{trained}/recipe.yaml"], "neither a run folder nor"),
        (["{exported}", "--threshold", "apcer"], "threshold"),
    ],
)
def test_a_mistake_is_one_line(
    fas: Fas, trained: Path, exported: Path, faces: Path, arguments: list[str], said: str
) -> None:
    result = fas(
        "eval", *(text.format(trained=trained, exported=exported, faces=faces) for text in arguments)
    )
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_photo_that_is_damaged_is_named(fas: Fas, exported: Path, faces: Path, tmp_path: Path) -> None:
    shutil.copytree(faces / "test", tmp_path / "faces" / "test")
    broken = tmp_path / "faces" / "test" / "live" / "00.png"
    broken.write_bytes(broken.read_bytes()[:200])
    result = fas("eval", exported, "--data", tmp_path / "faces", "--scores", tmp_path / "out.csv")
    assert result.exit_code == 2
    assert "00.png" in result.stderr
    assert not (tmp_path / "out.csv").exists()


def test_a_reject_band_is_counted_as_non_response(fas: Fas, trained: Path) -> None:
    plain = json.loads(fas("eval", trained, "--json", "--replicates", "0").stdout)
    document = json.loads(fas("eval", trained, "--reject", "-1e9:1e9", "--json", "--replicates", "0").stdout)
    assert document["threshold"]["reject"]["policy"] == "-1e9:1e9"
    assert document["non_response"] == {"apnrr_max": 1.0, "apnrr": 1.0, "bpnrr": 1.0}
    assert document["metrics"]["bpcer"] is None
    assert document["metrics"]["auc"] == plain["metrics"]["auc"]
    assert plain["non_response"] == {"apnrr_max": 0.0, "apnrr": 0.0, "bpnrr": 0.0}
    table = fas("eval", trained, "--reject", "-1e9:1e9", "--replicates", "0").output
    assert "uncertain" in table
    assert "APNRR of attacks, BPNRR of live samples" in table
    wrong = fas("eval", trained, "--reject", "0.7")
    assert (wrong.exit_code, "must be LOW:HIGH" in wrong.output) == (2, True)
