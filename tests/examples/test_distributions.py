"""The distributions below `examples/`, in an environment of their wheels: trained, evaluated, shipped."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fixtures.examples import EXAMPLES

pytestmark = pytest.mark.long

SMALL = ["--epochs", 1, "--input-size", 64, "-b", 8, "-j", 0, "--device", "cpu"]
SIMULATED = [word for key in ("subjects=9", "shots=1", "size=64") for word in ("--set", f"data.{key}")]
COMPONENTS = {
    "loss": "supcon",
    "model.fusion": "attention",
    "augment": "[crop, flip, hide_and_seek]",
    "train.optimizer": "lion",
    "train.schedule": "polynomial",
    "train.modality_dropout": "0.3",
    "train.trackers": "[leaderboard]",
    "metrics": "[acc, acer, eer, auc, brier]",
}


@pytest.fixture(scope="module")
def runs(example_environment: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that is made of the components of five of the distributions."""
    folder = tmp_path_factory.mktemp("runs")
    changes = [word for key, value in COMPONENTS.items() for word in ("--set", f"{key}={value}")]
    options = ["--runs", folder, "--name", "first", *SMALL, *SIMULATED, *changes]
    done = example_environment.fas("train", "quickstart", *options)
    assert "Traceback" not in done.stderr
    assert "warning: plugin" not in done.stderr
    return folder


def evaluate(environment: Any, *arguments: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        environment.fas("eval", *arguments, "--replicates", 0, "--json").stdout
    )
    return document


@pytest.mark.parametrize("name", [example.name for example in EXAMPLES])
def test_the_contract_kit_passes_what_they_provide(example_environment: Any, name: str) -> None:
    document = json.loads(example_environment.fas("plugins", "check", name, "--json").stdout)
    assert document["components"]
    unchecked = {row["name"] for row in document["components"] if row["status"] != "passed"}
    assert unchecked <= {"turnstile"}  # a data set is checked on its data, below


def test_a_run_of_them_is_evaluated_with_and_without_some_modalities(
    example_environment: Any, runs: Path
) -> None:
    figures = evaluate(example_environment, runs / "first")["metrics"]
    assert 0 <= figures["brier"] <= 1
    partial = evaluate(example_environment, runs / "first", "--modalities", "rgb,ir")["metrics"]
    assert partial["brier"] != figures["brier"]


@pytest.mark.parametrize(("form", "suffix"), [("onnx", ".onnx"), ("numpy", ".npz")])
def test_an_exported_file_scores_as_the_run_does(
    example_environment: Any, runs: Path, tmp_path: Path, form: str, suffix: str
) -> None:
    model = tmp_path / f"model{suffix}"
    example_environment.fas("export", runs / "first", "--format", form, "-o", model)
    auc = evaluate(example_environment, runs / "first")["metrics"]["auc"]
    assert evaluate(example_environment, model)["metrics"]["auc"] == pytest.approx(auc, abs=1e-3)


def test_the_leaderboard_and_the_notes_are_beside_the_run(example_environment: Any, runs: Path) -> None:
    rows = list(csv.reader((runs / "leaderboard.csv").read_text().splitlines()))
    assert rows[0] == ["run", "split", "acer", "eer", "auc"]
    assert {(row[0], row[1]) for row in rows[1:]} >= {("first", "test")}
    example_environment.fas("runs", "note", runs / "first", "a lamp was on")
    assert (runs / "first" / "notes.txt").read_text() == "a lamp was on\n"


def write_turnstile(root: Path) -> None:
    """A data set whose live photos are brighter, as in the tests of its plugin."""
    rng = np.random.default_rng(14)
    (root / "photos").mkdir(parents=True)
    records = [
        {"file": f"photos/{split}-{gate}-{kind}-{number}.png", "gate": gate, "person": f"{split}-{number}"}
        | {"split": split, "class": kind}
        for split in ("train", "dev", "test")
        for gate in (1, 2, 3)
        for kind in ("live", "print")
        for number in range(4)
    ]
    for record in records:
        image = rng.normal(170 if record["class"] == "live" else 80, 20, (48, 48, 3)).clip(0, 255)
        assert cv2.imwrite(str(root / str(record["file"])), image.astype(np.uint8))
    (root / "turnstile.json").write_text(json.dumps({"photos": records}))


def test_the_data_set_is_trained_by_sub_protocols_and_submitted(
    example_environment: Any, tmp_path: Path
) -> None:
    write_turnstile(tmp_path / "gates")
    example_environment.fas("data", "check", tmp_path / "gates")
    example_environment.fas("plugins", "check", "turnstile", "--root", tmp_path / "gates")
    color = ["--set", "modalities=[rgb]", "--set", "model.fusion=single", "--protocol", "turnstile-gate"]
    data = ["--data", tmp_path / "gates", "--runs", tmp_path, "--name", "runs"]
    example_environment.fas("train", "quickstart", *data, *color, *SMALL)
    figures = evaluate(example_environment, tmp_path / "runs")
    assert set(figures["protocols"]) == {"gate@1", "gate@2", "gate@3"}
    submission = tmp_path / "submission.txt"
    example_environment.fas("submit", tmp_path / "runs", "--format", "turnstile", "-o", submission)
    lines = [line.split() for line in submission.read_text().splitlines()]
    assert [line[0] for line in lines[:2]] == ["photos/test-1-live-0.png", "photos/test-1-live-1.png"]
    assert len(lines) == 24
    assert all(0 <= float(score) <= 1 and len(score.partition(".")[2]) == 6 for _, score in lines)
