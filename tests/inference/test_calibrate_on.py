"""`fas eval --calibrate-on`: a threshold of some people's live photos, and figures of the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from attrs import evolve
from click.testing import Result

from fas_core.records.model_input import ScaledCrop
from fas_core.runtime.model_file import ModelFile

Fas = Callable[..., Result]
LEVELS = {"a": (100, 110, 60), "b": (120, 130, 90), "c": (140, 150, 115)}
"""Grey levels of each person: two live photos, then an attack."""


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A folder with `all.csv` (test), `one.csv` (person a) and `unknown.csv` (no subjects)."""
    rows = []
    for person, levels in LEVELS.items():
        for number, level in enumerate(levels):
            name = f"{person}{number}.png"
            assert cv2.imwrite(str(tmp_path / name), np.full((8, 8, 3), level, np.uint8))
            rows.append((name, int(number < 2), person))
    lines = {name: f"{name},{label},test,{subject}\n" for name, label, subject in rows}
    header = "rgb,label,split,subject\n"
    (tmp_path / "all.csv").write_text(header + "".join(lines.values()))
    (tmp_path / "one.csv").write_text(header + "".join(lines[name] for name, _, who in rows if who == "a"))
    (tmp_path / "unknown.csv").write_text("rgb,label,split\n" + "a0.png,1,test\n")
    return tmp_path


@pytest.fixture
def model(mean_model: Callable[..., Path]) -> Path:
    """A model with the threshold 0.5 whose card names metrics and data, as those of `fas export` do."""
    path = mean_model()
    recipe = {"data": {"name": "synthetic"}, "metrics": ["apcer", "bpcer"]}
    stored = onnx.load(path)
    card = evolve(ModelFile(path).card, recipe=recipe)
    onnx.helper.set_model_props(stored, {"fas": card.to_json()})
    onnx.save(stored, path)
    return path


def test_people_of_the_calibration_are_not_evaluated(fas: Fas, model: Path, people: Path) -> None:
    arguments = ("--data", people / "all.csv", "--calibrate-on", people / "one.csv", "--replicates", 0)
    result = fas("eval", model, *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    assert document["counts"]["total"] == 6
    assert document["threshold"]["value"] == pytest.approx(100 / 255)
    assert document["threshold"]["policy"] == "calibrated:0.05"
    assert document["errors"]["attacks_accepted"] == 1  # 115 of person c, but not 90 of b
    assert document["errors"]["live_refused"] == 0
    shown = fas("eval", model, *arguments)
    assert "2 live photos of 1 people" in shown.stdout


def test_photos_are_cropped_to_the_face_as_for_evaluation(
    fas: Fas, mean_model: Callable[..., Path], people: Path
) -> None:
    path = mean_model(crops={"rgb": ScaledCrop(1.5)})
    arguments = ("--data", people / "all.csv", "--calibrate-on", people / "one.csv", "--detector", "cascade")
    result = fas("eval", path, *arguments)  # plain grey shows no face
    assert result.exit_code == 2
    assert "no live photo has a score" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("all.csv", "unknown.csv"), "needs a subject"),
        (("unknown.csv", "one.csv"), "have no subject"),
        (("one.csv", "one.csv"), "all samples are of people of the calibration: a"),
        (("all.csv", "one.csv", "--threshold", "fixed:0.5"), "without --threshold"),
    ],
)
def test_what_could_be_evaluated_wrongly_is_refused(
    fas: Fas, model: Path, people: Path, arguments: tuple[str, ...], message: str
) -> None:
    data, manifest, *others = arguments
    result = fas("eval", model, "--data", people / data, "--calibrate-on", people / manifest, *others)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
