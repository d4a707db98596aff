"""Faces of samples, read for a model that crops photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fas_core import DataError, ModelInput, SampleTable
from fas_core.data.faces import CropSettings
from fas_core.inference.photo_batches import photo_batches
from fas_core.records.model_input import ScaledCrop
from fas_core.runtime.face_selection import FaceSelector

SIZE = 8
CASCADE = CropSettings("cascade")


def samples(folder: Path, boxes: dict[str, list[float] | None]) -> SampleTable:
    columns: dict[str, Any] = {"id": [*boxes], "rgb": [*boxes], "box": [*boxes.values()]}
    return SampleTable.of(columns, modalities=("rgb",), root=folder)


@pytest.fixture
def folder(tmp_path: Path, photo_with: Callable[..., Any]) -> Path:
    cv2.imwrite(str(tmp_path / "face.png"), photo_with((160, 120, 60)))
    blank = np.zeros((100, 200, 3), np.uint8)
    blank[40:60, 90:110] = 255
    cv2.imwrite(str(tmp_path / "blank.png"), blank)
    return tmp_path


def read(table: SampleTable, model_input: ModelInput, size: int = 2) -> tuple[list[bool], Any]:
    faces = FaceSelector(settings=CASCADE, model_input=model_input)
    batches = list(photo_batches(table, model_input, faces, size, workers=0))
    found = [bool(value) for has_face, _ in batches for value in has_face]
    return found, [images.get("rgb") for _, images in batches]


def test_a_model_crops_around_the_box_by_its_scale(folder: Path) -> None:
    table = samples(folder, {"blank.png": [90.0, 40.0, 20.0, 20.0]})
    for scale, share in ((1, 1), (2, 1 / 4)):
        crop = ScaledCrop(scale, shape="square", border="black")
        found, (images,) = read(table, ModelInput(("rgb",), SIZE, crops={"rgb": crop}))
        assert found == [True]
        assert images.shape == (1, SIZE, SIZE, 3)
        assert images.mean() / 255 == pytest.approx(share, abs=0.05)


def test_faces_are_detected_and_photos_without_one_are_marked(folder: Path) -> None:
    table = samples(folder, {"face.png": None, "blank.png": None})
    crop = {"rgb": ScaledCrop(1.5)}
    for model_input in (ModelInput(("rgb",), SIZE, crops=crop), ModelInput(("rgb",), SIZE)):
        found, batches = read(table, model_input)
        assert found == [True, False]
        assert batches[0].shape == (1, SIZE, SIZE, 3)
        found, batches = read(table, model_input, size=1)
        assert found == [True, False]
        assert batches[1] is None


def test_a_box_outside_the_photo_is_refused(folder: Path) -> None:
    table = samples(folder, {"blank.png": [300.0, 40.0, 20.0, 20.0]})
    with pytest.raises(DataError, match="lies outside the image of 200 x 100 pixels"):
        read(table, ModelInput(("rgb",), SIZE))
