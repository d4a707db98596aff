"""Crops, flips and erased rectangles, shared by the modalities of a sample."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fas_plugins.augmentations.geometry import Flip, RandomCrop, RandomErasing
from fas_plugins.augmentations.options import CropOptions, EraseOptions, FlipOptions

Image = NDArray[np.uint8]
GREY = np.full((60, 60, 3), 100, np.uint8)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_crops_have_the_asked_area_and_aspect_ratio() -> None:
    draw = RandomCrop(CropOptions(scale=(0.2, 0.5)))
    drawn = [draw(400, 400, rng(seed)) for seed in range(500)]
    areas = np.array([crop.w * crop.h for crop in drawn])
    ratios = np.array([crop.w / crop.h for crop in drawn])
    assert areas.min() > 0.19
    assert areas.max() < 0.51
    assert abs(areas.mean() - 0.35) < 0.02
    assert ratios.min() > 0.74
    assert ratios.max() < 1.35
    assert abs(np.log(ratios).mean()) < 0.03  # log-uniform: wide and tall are as likely
    assert {round(crop.x + crop.w, 9) for crop in drawn} > {1.0}  # some end at the edge, none after it


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(100, 1000, (133 / 1000, 1.0)), (1000, 100, (1.0, 133 / 1000)), (100, 110, (1.0, 1.0))],
)
def test_when_no_crop_fits_the_largest_that_the_ratios_allow_is_taken(
    height: int, width: int, expected: tuple[float, float]
) -> None:
    """All of the area, at ratios that no such image has: the ten draws fail."""
    crop = RandomCrop(CropOptions(scale=(1.0, 1.0), ratio=(0.75, 4 / 3)))(height, width, rng())
    if width != 110:
        assert (round(crop.w, 3), round(crop.h, 3)) == pytest.approx(expected, abs=0.002)
    else:
        assert crop.w * crop.h > 0.8


def test_an_image_of_a_pixel_is_its_own_crop() -> None:
    """Also at ratios of which a side would round to nothing."""
    crop = RandomCrop(CropOptions(scale=(0.5, 1.0), ratio=(0.2, 0.3)))(1, 1, rng())
    assert (crop.x, crop.y, crop.w, crop.h) == (0, 0, 1, 1)


def test_a_flip_mirrors_all_modalities_or_none() -> None:
    images = rng().integers(0, 256, (2, 32, 32, 3), np.uint8)
    faces = {"rgb": images[0], "ir": images[1]}
    flipped = []
    for seed in range(200):
        changed = Flip(FlipOptions(0.3))(faces, rng(seed))
        same = [np.array_equal(changed[name], faces[name]) for name in faces]
        mirrored = [np.array_equal(changed[name], faces[name][:, ::-1]) for name in faces]
        assert same == [not value for value in mirrored]
        assert len(set(mirrored)) == 1
        flipped.append(mirrored[0])
    assert np.mean(flipped) == pytest.approx(0.3, abs=0.1)


def erase(options: EraseOptions, seed: int, faces: dict[str, Image] | None = None) -> dict[str, Image]:
    return RandomErasing(options)(faces or {"rgb": GREY}, rng(seed))


def test_the_same_rectangle_of_every_modality_is_erased() -> None:
    """Of the paper's area and aspect ratio, to within a pixel's rounding; everything else stays."""
    options = EraseOptions(probability=1.0, area=(0.1, 0.3), fill="black")
    for seed in range(100):
        changed = erase(options, seed, {"rgb": GREY, "ir": GREY})
        is_erased = (changed["rgb"] == 0).all(axis=2)
        assert np.array_equal(changed["rgb"], changed["ir"])
        rows, columns = np.flatnonzero(is_erased.any(axis=1)), np.flatnonzero(is_erased.any(axis=0))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert is_erased.sum() == height * width
        assert 0.1 - 0.04 < height * width / 3600 < 0.3 + 0.04
        assert 0.3 - 0.05 < height / width < 1 / 0.3 + 0.5
        assert (changed["rgb"][~is_erased] == 100).all()


def test_it_is_filled_with_noise_of_each_modality_at_the_chance_that_is_asked_for() -> None:
    options = EraseOptions(probability=0.4)
    changed = [erase(options, seed, {"rgb": GREY, "ir": GREY}) for seed in range(200)]
    erased = [faces for faces in changed if not np.array_equal(faces["rgb"], GREY)]
    assert len(erased) / 200 == pytest.approx(0.4, abs=0.1)
    assert not any(np.array_equal(faces["rgb"], faces["ir"]) for faces in erased)
    values = np.concatenate([faces["rgb"][faces["rgb"] != 100] for faces in erased])
    assert values.mean() == pytest.approx(127.5, abs=2)
    assert (values.min(), values.max()) == (0, 255)


def test_a_range_of_rectangles_that_fit_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="'area' must leave room for an aspect ratio of 3"):
        EraseOptions(ratio=(3.0, 4.0), area=(0.4, 0.5))
    with pytest.raises(ValueError, match=r"'area' must be a pair low <= high in \(0, 1\]"):
        EraseOptions(area=(0.4, 0.3))
    assert EraseOptions(ratio=(3.0, 4.0), area=(0.3, 0.5)).area == (0.3, 0.5)
