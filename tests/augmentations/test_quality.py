"""Losses of quality: chances, order of the random numbers, and what each does to an image."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from fas_plugins.augmentations.options import (
    BlurOptions,
    JpegOptions,
    NoiseOptions,
    QualityOptions,
    ResamplingOptions,
)
from fas_plugins.augmentations.quality import (
    Image,
    add_blur,
    add_noise,
    compress,
    make_blur,
    make_jpeg,
    make_noise,
    make_quality,
    make_resampling,
    resample,
)

GREY = np.full((64, 64, 3), 100, np.uint8)
STRIPES = np.tile(np.array([[0], [255]], np.uint8), (32, 64))[..., None].repeat(3, axis=2)
RED = np.zeros((64, 64, 3), np.uint8)
RED[..., 0] = 200
DEFAULT = BlurOptions().deviation, ResamplingOptions().scale, NoiseOptions().deviation, JpegOptions().quality


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def lose_quality(image: Image, generator: np.random.Generator, probability: float) -> Image:
    return make_quality(QualityOptions(probability))({"rgb": image}, generator)["rgb"]


def test_a_chance_of_zero_draws_nothing() -> None:
    generator = rng(5)
    assert lose_quality(STRIPES, generator, 0.0) is STRIPES
    assert generator.random() == rng(5).random()


def test_a_chance_is_that_of_each_loss() -> None:
    changed = [lose_quality(STRIPES, rng(seed), 0.1) is not STRIPES for seed in range(1000)]
    assert np.mean(changed) == pytest.approx(1 - 0.9**4, abs=0.04)


def test_the_same_numbers_give_the_same_image() -> None:
    first, second, third = (lose_quality(STRIPES, rng(seed), 1.0) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_each_modality_has_losses_of_its_own() -> None:
    changed = make_quality(QualityOptions(1.0))({"rgb": STRIPES, "ir": STRIPES}, rng(3))
    assert not np.array_equal(changed["rgb"], changed["ir"])


@pytest.mark.parametrize(
    "degrade", [partial(add_blur, deviation=DEFAULT[0]), partial(resample, scale=DEFAULT[1])]
)
def test_blur_and_resampling_take_contrast_and_keep_the_mean(degrade: Callable[..., Image]) -> None:
    for seed in range(10):
        image = degrade(STRIPES, rng(seed))
        assert image.shape == STRIPES.shape
        assert image.std() <= STRIPES.std()
        assert image.mean() == pytest.approx(STRIPES.mean(), abs=4)
        assert np.array_equal(degrade(GREY, rng(seed)), GREY)


def test_noise_has_the_deviation_of_its_range() -> None:
    deviations = [add_noise(GREY, rng(seed), DEFAULT[2]).std() for seed in range(50)]
    assert min(deviations) >= 0.95
    assert max(deviations) <= 8.2
    assert max(deviations) > 2 * min(deviations)


def test_jpeg_keeps_colours_and_size() -> None:
    for seed in range(10):
        assert np.abs(compress(RED, rng(seed), DEFAULT[3]).astype(int) - RED).max() <= 6


def test_each_is_an_augmentation_of_its_own_with_its_range() -> None:
    """As strong as its range says, whatever the seed."""
    faces = {"rgb": STRIPES}
    for seed in range(5):
        slight, strong = (
            make_blur(BlurOptions(1.0, (deviation, deviation)))(faces, rng(seed))["rgb"].std()
            for deviation in (0.3, 3.0)
        )
        assert slight > 2 * strong
        halved = make_resampling(ResamplingOptions(1.0, (0.5, 0.5)))(faces, rng(seed))["rgb"]
        assert halved.std() < 1  # two lines become one
        noisy = make_noise(NoiseOptions(1.0, (20.0, 20.0)))({"rgb": GREY}, rng(seed))["rgb"]
        assert noisy.std() == pytest.approx(20, rel=0.05)
        grey = noisy[..., :1].repeat(3, axis=2)  # whose colours JPEG does not thin out
        blocky, fine = (
            make_jpeg(JpegOptions(1.0, (quality, quality)))({"rgb": grey}, rng(seed))["rgb"]
            - grey.astype(int)
            for quality in (5, 100)
        )
        assert np.abs(blocky).mean() > 5 * np.abs(fine).mean()
