"""16-bit depth is stretched over the face by one rule: in evaluation, in `fas predict`, and in crops."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result

from fas_core.data.images import prepare, read_image
from fas_core.data.open import open_dataset
from fas_core.data.reading import read_faces
from fas_core.records.model_input import Resize
from fas_core.registry import registry

Fas = Callable[..., Result]
MeanModel = Callable[..., Path]
SIDE = 32


@pytest.fixture
def scene(tmp_path: Path, photo_with: Callable[..., Any]) -> Path:
    """A photo with one face, and its depth: the face beside a far wall, with pixels that are not measured."""
    x, y, size = 200, 110, 70
    (tmp_path / "in").mkdir()
    photo = photo_with((x, y, size))
    depth = np.full(photo.shape[:2], 9000, np.uint16)
    depth[:, 80:] = np.linspace(600, 1500, len(depth)).astype(np.uint16)[:, None]
    depth[y, x], depth[y + 1, x] = 65535, 0
    assert cv2.imwrite(str(tmp_path / "in/a_rgb.png"), photo[..., ::-1])
    assert cv2.imwrite(str(tmp_path / "in/a_depth.png"), depth)
    box = f"{x - size // 2} {y - size // 2} {size} {size}"
    (tmp_path / "in/faces.csv").write_text(f"id,rgb,depth,box\na,a_rgb.png,a_depth.png,{box}\n")
    return tmp_path / "in"


def score(fas: Fas, *arguments: object) -> float:
    result = fas("predict", *arguments, "--json")
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)["rows"]
    return float(row["score"])


def test_a_box_has_the_range_of_its_face(fas: Fas, mean_model: MeanModel, scene: Path) -> None:
    samples = open_dataset(str(scene / "faces.csv"), None, registry()).samples("test")
    face = read_faces(samples, 0, ["rgb", "depth"])["depth"]
    assert len(np.unique(face)) > 60  # of 70 rows; over the whole image they would share 10 values
    expected = prepare(face, SIDE, Resize()).mean() / 255
    model = mean_model(("depth",), SIDE)
    assert score(fas, model, scene / "faces.csv") == pytest.approx(expected, abs=1e-4)


def test_a_detected_face_has_the_range_of_its_crop(fas: Fas, mean_model: MeanModel, scene: Path) -> None:
    """What `fas data crop` writes scores as the detected face does."""
    model, crops = mean_model(("depth",), SIDE), scene.parent / "crops"
    (scene / "faces.csv").write_text("id,rgb,depth\na,a_rgb.png,a_depth.png\n")
    assert fas("data", "crop", scene / "faces.csv", crops).exit_code == 0
    crop = read_image(crops / "a_depth.png")
    assert len(np.unique(crop)) > 60
    expected = prepare(crop, SIDE, Resize()).mean() / 255
    detected = score(fas, model, scene / "a_rgb.png", scene / "a_depth.png", "--detect")
    assert detected == pytest.approx(expected, abs=1e-3)


def test_copies_of_depth_are_drawn(fas: Fas, mean_model: MeanModel, scene: Path) -> None:
    model, copies = mean_model(("depth",), SIDE), scene.parent / "copies"
    (scene / "a_rgb.png").unlink()
    score(fas, model, scene / "a_depth.png", "--save-annotated", copies)
    assert len(list(copies.rglob("*.png"))) == 1
