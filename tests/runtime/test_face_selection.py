"""The rule that decides which pixels are scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from fas_core import DataError
from fas_core.data.detectors import FaceDetector
from fas_core.data.faces import CropSettings
from fas_core.data.images import Image, resize_square
from fas_core.records.detected_face import DetectedFace
from fas_core.records.model_input import ModelInput, ScaledCrop
from fas_core.runtime.face_selection import FaceSelector

PHOTO = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
Select = Callable[..., FaceSelector]


@pytest.fixture
def selector(monkeypatch: pytest.MonkeyPatch) -> Select:
    """`selector(*boxes, detect=None, crops=None)`: a selector whose detector finds these boxes in any image.

    `crops` are those of a model with faces of 20 pixels.
    """

    def build(
        *boxes: tuple[float, float, float, float],
        detect: bool | None = None,
        crops: Mapping[str, ScaledCrop] | None = None,
    ) -> FaceSelector:
        fake = FaceDetector("fake", lambda image: [DetectedFace(box) for box in boxes])
        monkeypatch.setattr("fas_core.runtime.face_selection.face_detector", lambda _: fake)
        if crops is not None:
            return FaceSelector(detect, None, ModelInput(tuple(crops), 20, crops=crops))
        return FaceSelector(detect, CropSettings(margin=0, size=16))

    return build


def boxes(selector: FaceSelector, images: dict[str, Image] | None = None, **options: object) -> list[object]:
    return [crop.box for crop in selector.select(images or {"rgb": PHOTO}, **options).crops]  # type: ignore[arg-type]


def test_an_image_that_its_face_fills_is_taken_as_it_is(selector: Select) -> None:
    selection = selector((10, 10, 64, 64)).select({"rgb": PHOTO})
    assert [crop.box for crop in selection.crops] == [None]
    assert selection.crops[0].images["rgb"] is PHOTO
    assert (selection.detector, selection.detected) == ("fake", 1)


def test_another_photo_is_cropped_to_its_largest_face(selector: Select) -> None:
    found = selector((10, 10, 60, 60), (80, 0, 20, 20))  # 36 % of the area
    assert boxes(found) == [(10, 10, 60, 60)]
    assert boxes(found, every_face=True) == [(10, 10, 60, 60), (80, 0, 20, 20)]


def test_a_photo_without_a_face_has_nothing_to_score(selector: Select) -> None:
    selection = selector().select({"rgb": PHOTO})
    assert (selection.crops, selection.detector, selection.detected) == ((), "fake", 0)


def test_a_known_box_or_a_cropped_data_set_needs_no_detector(selector: Select) -> None:
    empty = selector()
    assert boxes(empty, box=(5, 5, 20, 20)) == [(5, 5, 20, 20)]
    assert boxes(empty, is_crop=True) == [None]
    assert empty.select({"rgb": PHOTO}, is_crop=True).detector is None
    with pytest.raises(DataError, match="lies outside the image of 100 x 100"):
        empty.select({"rgb": PHOTO}, box=(200, 0, 5, 5))


def test_detection_can_be_forced_or_switched_off(selector: Select) -> None:
    assert boxes(selector((10, 10, 64, 64), detect=True), is_crop=True) == [(10, 10, 64, 64)]
    assert boxes(selector(detect=False)) == [None]
    assert boxes(selector((10, 10, 20, 20)), detect=False) == [None]
    assert boxes(selector((10, 10, 64, 64), detect=False), detect=True) == [(10, 10, 64, 64)]


def test_depth_maps_are_not_searched(selector: Select) -> None:
    found = selector((10, 10, 20, 20))
    assert boxes(found, {"depth": PHOTO}) == [None]
    # Detected in infrared; the box is in pixels of the first image, which has half the size.
    assert boxes(found, {"depth": PHOTO[::2, ::2], "ir": PHOTO}) == [(5, 5, 10, 10)]


def test_aligned_crops_are_refused_without_landmarks() -> None:
    with pytest.raises(DataError, match="finds no landmarks"):
        FaceSelector(None, CropSettings(detector="cascade", region="aligned"))


CROPS = {"near": ScaledCrop(1.0, "rgb"), "far": ScaledCrop(2.0, "rgb")}


def test_a_model_that_states_its_crops_gets_one_for_each_modality(selector: Select) -> None:
    faces = selector((40, 30, 19, 19), crops=CROPS)
    (crop,) = faces.select({"rgb": PHOTO}).crops
    assert crop.box == (40, 30, 19, 19)
    np.testing.assert_array_equal(crop.images["near"], PHOTO[30:50, 40:60])
    assert crop.images["far"].shape == (20, 20, 3)


def test_such_a_model_gets_crops_of_faces_that_fill_the_photo_and_of_known_boxes(selector: Select) -> None:
    faces = selector((0, 0, 99, 99), crops=CROPS)
    (crop,) = faces.select({"rgb": PHOTO}).crops
    assert crop.box == (0, 0, 99, 99)
    (crop,) = faces.select({"rgb": PHOTO}, box=(10, 10, 19, 19)).crops
    np.testing.assert_array_equal(crop.images["near"], PHOTO[10:30, 10:30])
    (crop,) = faces.select({"rgb": PHOTO}, detect=False).crops
    assert crop.box is None
    np.testing.assert_array_equal(crop.images["near"], resize_square(PHOTO, 20))


@pytest.mark.parametrize("settings", [CropSettings(margin=0.3), CropSettings(region="aligned")])
def test_crops_that_a_model_states_cannot_be_changed(settings: CropSettings) -> None:
    with pytest.raises(DataError, match="of 1, 2 times the face's box: leave out --margin and --align"):
        FaceSelector(None, settings, ModelInput(("near", "far"), 20, crops=CROPS))
