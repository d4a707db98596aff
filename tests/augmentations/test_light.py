"""Colour noise, gain and gamma: each image by itself, rounded and clipped."""

from __future__ import annotations

import numpy as np
import pytest

from fas_plugins.augmentations.light import (
    EIGENVALUES,
    EIGENVECTORS,
    Lighting,
    add_colour_noise,
    make_gain,
    make_gamma,
)
from fas_plugins.augmentations.options import GainOptions, GammaOptions, LightingOptions

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


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
        changed = add_colour_noise(image, rng(seed), 3.0).astype(int)
        assert ((changed[0, 0] == 0) | (changed[0, 1] == 255)).all()


@pytest.mark.parametrize("strength", [0.1, 2.0, 1000.0])
def test_lighting_is_the_rounded_and_clipped_sum(strength: float) -> None:
    image = rng().integers(0, 256, (40, 30, 3), np.uint8)
    for seed in range(50):
        shift = 255 * rng(seed).normal(0, strength, 3) * EIGENVALUES @ EIGENVECTORS
        expected = np.clip(np.round(image + shift), 0, 255)
        np.testing.assert_array_equal(add_colour_noise(image, rng(seed), strength), expected)


def test_modalities_are_lit_independently_and_deviation_0_draws_nothing() -> None:
    image = np.full((8, 8, 3), 128, np.uint8)
    changed = Lighting(LightingOptions(1.0))({"rgb": image, "ir": image}, rng())
    assert (changed["rgb"] != changed["ir"]).any()
    generator = rng(5)
    assert Lighting(LightingOptions(0.0))({"rgb": image}, generator)["rgb"] is image
    assert generator.random() == rng(5).random()


def test_gain_is_the_rounded_and_clipped_product() -> None:
    for factor in (0.5, 1.0, 1.7):
        changed = make_gain(GainOptions(1.0, (factor, factor)))({"rgb": RAMP}, rng())["rgb"]
        product = np.clip(RAMP * factor, 0, 255)
        assert np.abs(changed - product).max() <= 0.5 + 1e-4  # halves may be rounded either way


def test_gamma_is_the_rounded_power_and_keeps_black_and_white() -> None:
    for exponent in (0.5, 1.0, 2.2):
        changed = make_gamma(GammaOptions(1.0, (exponent, exponent)))({"rgb": RAMP}, rng())["rgb"]
        np.testing.assert_array_equal(changed, np.round(255 * (RAMP / 255) ** exponent))
        assert (changed.min(), changed.max()) == (0, 255)


@pytest.mark.parametrize(
    "augment", [make_gain(GainOptions(0.5)), make_gamma(GammaOptions(0.5))], ids=["gain", "gamma"]
)
def test_darker_and_brighter_are_as_likely(augment: object) -> None:
    """Log-uniform, in half of the images; and of each modality by itself."""
    generator = rng()
    changed = [augment({"rgb": RAMP, "ir": RAMP}, generator) for _ in range(1000)]  # type: ignore[operator]
    means = np.array([[faces[name].mean() for name in ("rgb", "ir")] for faces in changed])
    assert (means == RAMP.mean()).mean() == pytest.approx(0.5, abs=0.06)
    assert (means > RAMP.mean()).mean() == pytest.approx(0.25, abs=0.06)
    assert (means[:, 0] != means[:, 1]).mean() == pytest.approx(0.75, abs=0.08)
