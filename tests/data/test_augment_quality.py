"""Losses of quality: chances, order of the random numbers, and what each does to an image."""

from __future__ import annotations

import numpy as np
import pytest

from fas_core.config.recipe import Augment
from fas_core.data.augment import augment_faces
from fas_core.data.augment_quality import add_blur, add_noise, compress, reduce_quality, resample

GREY = np.full((64, 64, 3), 100, np.uint8)
STRIPES = np.tile(np.array([[0], [255]], np.uint8), (32, 64))[..., None].repeat(3, axis=2)
RED = np.zeros((64, 64, 3), np.uint8)
RED[..., 0] = 200


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_chance_of_zero_draws_nothing() -> None:
    generator = rng(5)
    assert reduce_quality(STRIPES, generator, 0.0) is STRIPES
    assert generator.random() == rng(5).random()


def test_a_chance_is_that_of_each_loss() -> None:
    changed = [reduce_quality(STRIPES, rng(seed), 0.1) is not STRIPES for seed in range(1000)]
    assert np.mean(changed) == pytest.approx(1 - 0.9**4, abs=0.04)


def test_the_same_numbers_give_the_same_image() -> None:
    first, second, third = (reduce_quality(STRIPES, rng(seed), 1.0) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


@pytest.mark.parametrize("degrade", [add_blur, resample])
def test_blur_and_resampling_take_contrast_and_keep_the_mean(degrade: object) -> None:
    for seed in range(10):
        image = degrade(STRIPES, rng(seed))  # type: ignore[operator]
        assert image.shape == STRIPES.shape
        assert image.std() <= STRIPES.std()
        assert image.mean() == pytest.approx(STRIPES.mean(), abs=4)
        assert np.array_equal(degrade(GREY, rng(seed)), GREY)  # type: ignore[operator]


def test_noise_has_the_deviation_of_its_range() -> None:
    deviations = [add_noise(GREY, rng(seed)).std() for seed in range(50)]
    assert min(deviations) >= 0.95
    assert max(deviations) <= 8.2
    assert max(deviations) > 2 * min(deviations)


def test_jpeg_keeps_colours_and_size() -> None:
    for seed in range(10):
        assert np.abs(compress(RED, rng(seed)).astype(int) - RED).max() <= 6


def test_it_is_part_of_augmentation_by_the_samples_numbers() -> None:
    plain = Augment(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0), flip=0.0, lighting=0.0)
    losses = Augment(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0), flip=0.0, lighting=0.0, quality=1.0)
    faces = {"rgb": STRIPES, "ir": STRIPES}
    clean, first, again = (augment_faces(faces, 64, item, rng(3)) for item in (plain, losses, losses))
    assert np.array_equal(clean["rgb"], STRIPES)
    assert not np.array_equal(first["rgb"], STRIPES)
    assert not np.array_equal(first["rgb"], first["ir"])  # each camera has losses of its own
    assert all(np.array_equal(first[name], again[name]) for name in faces)
