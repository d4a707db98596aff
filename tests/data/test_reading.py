"""Faces of samples and batches of them, read for evaluation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fas_core import DataError
from fas_core.data.detectors import FaceDetector
from fas_core.data.images import resize_square
from fas_core.data.reading import batches, read_faces
from fas_core.records.detected_face import DetectedFace
from fas_core.records.model_input import ModelInput, ScaledCrop
from fas_core.records.samples import SampleTable

Make = Callable[..., SampleTable]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_are_in_the_tables_order(make_samples: Make, workers: int) -> None:
    samples = make_samples(7, ("rgb", "depth"))
    made = list(batches(samples, ModelInput(("rgb", "depth"), 16), 3, workers))
    assert [batch["rgb"].shape for batch in made] == [(3, 16, 16, 3), (3, 16, 16, 3), (1, 16, 16, 3)]
    assert made[0]["rgb"].dtype == np.uint8
    levels = [int(level) for batch in made for level in batch["depth"][:, 8, 8, 1]]
    assert levels == [10 * row + 1 for row in range(7)]


def test_an_unreadable_image_is_raised_when_its_batch_is_due(make_samples: Make, tmp_path: Path) -> None:
    samples = make_samples(6)
    (tmp_path / "rgb/3.png").write_bytes(b"nonsense")
    reading = batches(samples, ModelInput(("rgb",), 16), 2, 2)
    assert len(next(reading)["rgb"]) == 2
    with pytest.raises(DataError, match=r"rgb/3\.png: cannot be decoded"):
        next(reading)


def test_boxes_are_in_pixels_of_the_first_modality(
    make_samples: Make, tmp_path: Path, save: Callable[..., Path]
) -> None:
    samples = make_samples(1, ("rgb", "depth"), box=[[8, 0, 16, 16]])
    for name, side in (("rgb", 32), ("depth", 64)):
        image = np.zeros((side, side, 3), np.uint8)
        image[: side // 2, side // 4 : 3 * side // 4] = 200
        save(tmp_path / f"{name}/0.png", image)
    for modalities in (["rgb", "depth"], ["depth"]):
        faces = read_faces(samples, 0, modalities)
        assert list(faces) == modalities
        assert faces["depth"].shape == (32, 32, 3)
        assert all((face == 200).all() for face in faces.values())


def test_a_box_outside_the_image_is_refused(make_samples: Make) -> None:
    samples = make_samples(1, box=[[40, 0, 10, 10]])
    with pytest.raises(DataError, match=r"rgb/0\.png: box \[40.* lies outside the image of 32 x 32 pixels"):
        read_faces(samples, 0, ["rgb"])


def test_depth_is_stretched_over_the_face_in_the_box(make_samples: Make, tmp_path: Path) -> None:
    samples = make_samples(1, ("rgb", "depth"), box=[[0, 0, 16, 32]])
    scene = np.full((64, 64), 9000, np.uint16)
    scene[:, :32] = np.linspace(600, 800, 64).astype(np.uint16)[:, None]
    scene[0, 0] = 65535
    assert cv2.imwrite(str(tmp_path / "depth/0.png"), scene)
    assert cv2.imwrite(str(tmp_path / "rgb/0.png"), np.zeros((32, 32, 3), np.uint8))
    (face,) = (faces["depth"] for faces in [read_faces(samples, 0, ["rgb", "depth"])])
    assert face.shape == (64, 32, 3)
    assert (face[0, 0] == 0).all()
    assert (face[1, 1, 0], face[-1, -1, 0]) == (pytest.approx(5, abs=3), 255)


CROPS = {"near": ScaledCrop(1.0, "rgb"), "far": ScaledCrop(2.0, "rgb")}


def write_photo(folder: Path) -> np.ndarray:
    photo = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    cv2.imwrite(str(folder / "a.png"), photo[..., ::-1])
    return photo


def make_photo_table(folder: Path, **columns: Any) -> SampleTable:
    return SampleTable.of(
        {"id": ["a"], "label": [1], "rgb": ["a.png"], **columns}, modalities=["rgb"], root=folder
    )


def test_a_model_that_states_its_crops_gets_them_around_the_box(tmp_path: Path) -> None:
    photo = write_photo(tmp_path)
    samples = make_photo_table(tmp_path, box=[[40, 30, 19, 19]])
    (images,) = batches(samples, ModelInput(("near", "far"), 20, crops=CROPS), 1, 0)
    np.testing.assert_array_equal(images["near"][0], photo[30:50, 40:60])
    assert images["far"].shape == (1, 20, 20, 3)


@pytest.mark.parametrize(
    ("boxes", "marker", "region"),
    [
        ([(10, 20, 19, 19), (0, 0, 9, 9)], False, (slice(20, 40), slice(10, 30))),
        ([(10, 20, 19, 19)], True, None),
    ],
    ids=["largest face", "a folder of face crops"],
)
def test_without_a_box_the_face_is_detected(
    boxes: list[Any], marker: bool, region: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = write_photo(tmp_path)
    if marker:
        (tmp_path / "crops.jsonl").touch()
    fake = FaceDetector("fake", lambda image: [DetectedFace(box) for box in boxes])
    monkeypatch.setattr("fas_core.data.reading._detector", lambda _: fake)
    samples = make_photo_table(tmp_path)
    (images,) = batches(samples, ModelInput(("near", "far"), 20, crops=CROPS), 1, 0)
    expected = resize_square(photo, 20) if region is None else photo[region]
    np.testing.assert_array_equal(images["near"][0], expected)


def test_a_photo_without_a_face_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_photo(tmp_path)
    monkeypatch.setattr("fas_core.data.reading._detector", lambda _: FaceDetector("fake", lambda image: []))
    reading = batches(make_photo_table(tmp_path), ModelInput(("near", "far"), 20, crops=CROPS), 1, 0)
    with pytest.raises(DataError, match=r"a\.png: no face is detected"):
        next(reading)


def test_no_face_is_looked_for_in_depth_maps(tmp_path: Path) -> None:
    photo = write_photo(tmp_path)
    samples = SampleTable.of(
        {"id": ["a"], "label": [1], "depth": ["a.png"]}, modalities=["depth"], root=tmp_path
    )
    (images,) = batches(samples, ModelInput(("depth",), 20, crops={"depth": ScaledCrop(1.0)}), 1, 0)
    np.testing.assert_array_equal(images["depth"][0], resize_square(photo, 20))
