from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core import DataError
from fas_core.data.faces import (
    TEMPLATE,
    CropSettings,
    DetectedFace,
    crop_face,
    is_centre_in,
    is_face_crop,
    largest,
    square_around,
)

Image = NDArray[np.uint8]
PhotoWith = Callable[..., Image]


def test_the_largest_face_is_the_one() -> None:
    boxes = [(0, 0, 10, 10), (5, 5, 30, 20), (0, 0, 20, 20)]
    assert largest([DetectedFace(box) for box in boxes]) == DetectedFace(boxes[1])
    assert largest([]) is None


def test_a_square_around_a_face() -> None:
    assert square_around((40, 50, 20, 30), 0.5, (200, 200, 3)) == (20, 35, 60, 60)


@pytest.mark.parametrize(
    ("face", "expected"),
    [
        ((0, 0, 20, 20), (0, 0, 40, 40)),
        ((90, 85, 20, 20), (60, 60, 40, 40)),
        ((30, 30, 90, 90), (0, 0, 100, 100)),
    ],
)
def test_a_square_over_the_edge_is_moved_inside_or_cut_down(
    face: tuple[float, ...], expected: tuple[float, ...]
) -> None:
    assert square_around(face, 0.5, (100, 100, 3)) == expected  # type: ignore[arg-type]


def test_a_crop_has_the_size_asked_for_in_every_modality(photo_with: PhotoWith) -> None:
    photo = photo_with((200, 110, 70))
    photos, face = {"rgb": photo, "ir": photo[::2, ::2]}, (100, 20, 64, 64)
    square, crops = crop_face(photos, DetectedFace(face), CropSettings(margin=0, size=32))
    assert square == face
    assert {name: crop.shape for name, crop in crops.items()} == {"rgb": (32, 32, 3), "ir": (32, 32, 3)}
    np.testing.assert_array_equal(crops["ir"], photo[20:84:2, 100:164:2])
    _, crops = crop_face(photos, DetectedFace(face), CropSettings(margin=0, size=64))
    np.testing.assert_array_equal(crops["rgb"], photo[20:84, 100:164])


LEVEL = ((200.0, 200.0), (240.0, 200.0), (220.0, 222.0), (203.5, 239.0), (236.5, 239.0))


def turned(points: tuple[tuple[float, float], ...], degrees: float) -> tuple[tuple[float, float], ...]:
    """Turn points around (220, 220)."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return tuple(
        (220 + cos * (x - 220) - sin * (y - 220), 220 + sin * (x - 220) + cos * (y - 220)) for x, y in points
    )


@pytest.mark.parametrize("degrees", [0, 25, -40])
def test_an_aligned_crop_is_the_same_however_the_face_is_turned(degrees: float) -> None:
    """The crop of a turned photo equals that of the upright photo, up to interpolation."""
    import cv2

    rng = np.random.default_rng(1)
    photo = cv2.GaussianBlur(rng.integers(0, 256, (440, 440, 3), np.uint8), (0, 0), 6)
    matrix = cv2.getRotationMatrix2D((220, 220), -degrees, 1)
    rotated = np.asarray(cv2.warpAffine(photo, matrix, (440, 440)))
    settings = CropSettings(margin=0.1, size=96, region="aligned")
    box, crops = crop_face({"rgb": photo}, DetectedFace((0, 0, 9, 9), LEVEL), settings)
    face = DetectedFace((0, 0, 9, 9), turned(LEVEL, degrees))
    turned_box, turned_crops = crop_face({"rgb": rotated}, face, settings)
    assert turned_box[2] == pytest.approx(box[2])
    difference = np.abs(crops["rgb"].astype(float) - turned_crops["rgb"])
    assert difference.mean() < 3


def test_the_landmarks_of_the_template_are_their_own_square() -> None:
    face = DetectedFace((0, 0, 9, 9), tuple((100 + 50 * x, 80 + 50 * y) for x, y in TEMPLATE))
    photos = {"rgb": np.zeros((300, 300, 3), np.uint8)}
    for region in ("landmarks", "aligned"):
        box, _ = crop_face(photos, face, CropSettings(margin=0, region=region))  # type: ignore[arg-type]
        assert box == pytest.approx((100, 80, 50, 50))


def test_a_region_of_landmarks_needs_landmarks() -> None:
    photos = {"rgb": np.zeros((30, 30, 3), np.uint8)}
    with pytest.raises(DataError, match="no landmarks"):
        crop_face(photos, DetectedFace((0, 0, 9, 9)), CropSettings(region="aligned"))


@pytest.mark.parametrize("marker", ["crops.jsonl", "simulator.json"])
def test_an_image_below_a_marker_is_a_face_crop(tmp_path: Path, marker: str) -> None:
    assert not is_face_crop(tmp_path / "a/b.png")
    (tmp_path / marker).touch()
    assert is_face_crop(tmp_path / "a/b.png")


def test_the_centre_of_a_box_lies_in_an_area() -> None:
    assert is_centre_in((0, 0, 10, 10), (5, 5, 1, 1))
    assert not is_centre_in((0, 0, 10, 10), (6, 0, 10, 10))
