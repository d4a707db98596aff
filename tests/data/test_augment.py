"""Crops and flips shared by modalities, colour noise, and quarters mixed within a class."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core.config.recipe import Augment
from fas_core.data.augment import (
    EIGENVALUES,
    EIGENVECTORS,
    CropGeometry,
    add_colour_noise,
    augment_faces,
    draw_donors,
    mix_quarters,
)

Image = NDArray[np.uint8]
UNCHANGED = Augment(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0), flip=0.0, lighting=0.0)


LABELS = np.array([1, 0, 0, 1, 0, 1, 0], np.int8)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def gradient(height: int, width: int) -> Image:
    """Red grows to the right and green downwards, from 0 to 255 in an image of any size."""
    image = np.zeros((height, width, 3), np.float64)
    image[..., 0] = (np.arange(width) + 0.5) * 255 / width
    image[..., 1] = ((np.arange(height) + 0.5) * 255 / height)[:, None]
    return image.round().astype(np.uint8)


def test_nothing_asked_nothing_done() -> None:
    image = rng().integers(0, 256, (64, 64, 3), np.uint8)
    np.testing.assert_array_equal(augment_faces({"rgb": image}, 64, UNCHANGED, rng())["rgb"], image)


def test_all_modalities_get_the_same_geometry_whatever_their_size() -> None:
    faces = {"rgb": gradient(120, 120), "depth": gradient(90, 90), "ir": gradient(200, 100)}
    augment = Augment(lighting=0.0)
    for seed in range(20):
        made = augment_faces(faces, 56, augment, rng(seed))
        for other in ("depth", "ir"):
            np.testing.assert_allclose(made[other].astype(int), made["rgb"].astype(int), atol=8)


def test_the_same_generator_gives_the_same_image() -> None:
    faces = {"rgb": rng().integers(0, 256, (80, 60, 3), np.uint8)}
    first, second, other = (augment_faces(faces, 32, Augment(), rng(seed))["rgb"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_crops_have_the_asked_area_and_aspect_ratio() -> None:
    drawn = [CropGeometry.draw(rng(seed), 400, 400, Augment(crop_scale=(0.2, 0.5))) for seed in range(500)]
    areas = np.array([crop.w * crop.h for crop in drawn])
    ratios = np.array([crop.w / crop.h for crop in drawn])
    assert areas.min() > 0.19
    assert areas.max() < 0.51
    assert abs(areas.mean() - 0.35) < 0.02
    assert ratios.min() > 0.74
    assert ratios.max() < 1.35
    assert abs(np.log(ratios).mean()) < 0.03  # log-uniform: wide and tall are as likely
    assert all(crop.x >= 0 and crop.x + crop.w < 1 + 1e-9 for crop in drawn)
    assert all(crop.y >= 0 and crop.y + crop.h < 1 + 1e-9 for crop in drawn)
    assert 0.4 < np.mean([crop.flip for crop in drawn]) < 0.6


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(100, 1000, (133 / 1000, 1.0)), (1000, 100, (1.0, 133 / 1000)), (100, 110, (1.0, 1.0))],
)
def test_when_no_crop_fits_the_largest_that_the_ratios_allow_is_taken(
    height: int, width: int, expected: tuple[float, float]
) -> None:
    """All of the area, at ratios that no such image has: the ten draws fail."""
    crop = CropGeometry.draw(rng(), height, width, Augment(crop_scale=(1.0, 1.0), crop_ratio=(0.75, 4 / 3)))
    if width != 110:
        assert (round(crop.w, 3), round(crop.h, 3)) == pytest.approx(expected, abs=0.002)
    else:
        assert crop.w * crop.h > 0.8


def test_a_flip_mirrors() -> None:
    image = rng().integers(0, 256, (32, 32, 3), np.uint8)
    always = Augment(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0), flip=1.0, lighting=0.0)
    np.testing.assert_array_equal(augment_faces({"rgb": image}, 32, always, rng())["rgb"], image[:, ::-1])


def test_lighting_shifts_colours_along_the_principal_axes() -> None:
    image = np.full((4, 4, 3), 128, np.uint8)
    shifts = (
        np.array([add_colour_noise(image, rng(seed), 0.1)[0, 0].astype(float) - 128 for seed in range(4000)])
        / 255
    )
    expected = EIGENVECTORS.T @ np.diag((0.1 * EIGENVALUES) ** 2) @ EIGENVECTORS
    np.testing.assert_allclose(np.cov(shifts.T), expected, atol=2e-5)
    np.testing.assert_allclose(EIGENVECTORS @ EIGENVECTORS.T, np.eye(3), atol=2e-3)


def test_lighting_clips_instead_of_wrapping() -> None:
    image = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    for seed in range(20):
        made = add_colour_noise(image, rng(seed), 3.0).astype(int)
        assert ((made[0, 0] == 0) | (made[0, 1] == 255)).all()


@pytest.mark.parametrize("strength", [0.1, 2.0, 1000.0])
def test_lighting_is_the_rounded_and_clipped_sum(strength: float) -> None:
    image = rng().integers(0, 256, (40, 30, 3), np.uint8)
    for seed in range(50):
        shift = 255 * rng(seed).normal(0, strength, 3) * EIGENVALUES @ EIGENVECTORS
        expected = np.clip(np.round(image + shift), 0, 255)
        np.testing.assert_array_equal(add_colour_noise(image, rng(seed), strength), expected)


def test_modalities_are_lit_independently() -> None:
    image = np.full((8, 8, 3), 128, np.uint8)
    made = augment_faces({"rgb": image, "ir": image}, 8, Augment(lighting=1.0), rng())
    assert (made["rgb"] != made["ir"]).any()


def test_scale_of_the_crop_shows_in_the_image() -> None:
    made = augment_faces(
        {"rgb": gradient(100, 100)}, 50, Augment(crop_scale=(0.25, 0.25), lighting=0), rng(3)
    )["rgb"]
    spread = made[..., 0].max() - made[..., 0].min()
    assert 255 * 0.5 * math.sqrt(0.75) - 6 < spread < 255 * 0.5 * math.sqrt(4 / 3) + 6


def numbered(side: int) -> np.ndarray:
    """A batch whose pixels say their sample, row and column."""
    count = len(LABELS)
    sample, row, column = np.meshgrid(np.arange(count), np.arange(side), np.arange(side), indexing="ij")
    return np.stack([sample, row, column], axis=-1).astype(np.uint8)


def test_a_quarter_stays_at_its_place_and_goes_to_the_same_class() -> None:
    donors = draw_donors(LABELS, rng(1))
    batch = numbered(8)
    found = mix_quarters(batch, donors)
    np.testing.assert_array_equal(found[..., 1:], batch[..., 1:])
    for quarter_number, (down, right) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        quarter = found[:, 4 * down : 4 * down + 4, 4 * right : 4 * right + 4, 0]
        np.testing.assert_array_equal(
            quarter, np.broadcast_to(donors[quarter_number][:, None, None], quarter.shape)
        )
    np.testing.assert_array_equal(LABELS[donors], np.tile(LABELS, (4, 1)))
    assert all(sorted(rows) == list(range(len(LABELS))) for rows in donors.tolist())  # none is lost
    assert len({tuple(rows) for rows in donors.tolist()}) == 4  # and quarters are drawn independently


def test_modalities_are_mixed_alike_and_the_batch_is_not_changed() -> None:
    batch = numbered(9)
    before = batch.copy()
    donors = draw_donors(LABELS, rng(2))
    np.testing.assert_array_equal(mix_quarters(200 - batch, donors), 200 - mix_quarters(batch, donors))
    np.testing.assert_array_equal(batch, before)


def test_a_class_of_one_keeps_its_picture() -> None:
    donors = draw_donors(np.array([0, 1, 0], np.int8), rng(3))
    assert donors[:, 1].tolist() == [1, 1, 1, 1]
