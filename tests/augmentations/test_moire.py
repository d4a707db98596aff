"""Stripes of a filmed screen: their width, contrast and colours."""

from __future__ import annotations

import numpy as np
import pytest

from fas_plugins.augmentations.moire import draw_stripes, make_moire
from fas_plugins.augmentations.options import MoireOptions

GREY = np.full((96, 96, 3), 120, np.uint8)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("period", [5.0, 12.0, 24.0])
def test_stripes_are_as_wide_as_asked_and_differ_between_colours(period: float) -> None:
    """By the strongest frequency of the middle part, where they are nearly straight."""
    shifted = 0
    for seed in range(20):
        stripes = draw_stripes(rng(seed), 192, period)
        assert stripes.shape == (192, 192, 3)
        assert np.abs(stripes).max() <= 1
        middle = stripes[48:-48, 48:-48, 0] * np.hanning(96)[:, None] * np.hanning(96)
        spectrum = np.abs(np.fft.fft2(middle, (384, 384)))
        spectrum[0, 0] = 0
        row, column = np.unravel_index(spectrum.argmax(), spectrum.shape)
        frequency = np.hypot(np.fft.fftfreq(384)[row], np.fft.fftfreq(384)[column])
        assert frequency == pytest.approx(1 / period, abs=0.015)
        shifted += not np.allclose(stripes[..., 0], stripes[..., 2], atol=0.1)
    assert shifted > 15


def test_contrast_is_that_of_the_light_and_black_stays_black() -> None:
    always = make_moire(MoireOptions(probability=1.0, contrast=(0.1, 0.1)))
    for seed in range(10):
        striped = always({"rgb": GREY}, rng(seed))["rgb"]
        assert striped.min() == pytest.approx(108, abs=1)
        assert striped.max() == pytest.approx(132, abs=1)
        black = np.zeros_like(GREY)
        np.testing.assert_array_equal(always({"rgb": black}, rng(seed))["rgb"], black)
    bright = always({"rgb": np.full_like(GREY, 250)}, rng())["rgb"]
    assert bright.min() > 200  # clipped at 255, not wrapped


def test_the_chance_is_that_of_each_image() -> None:
    some = make_moire(MoireOptions(probability=0.25))
    changed = [some({"rgb": GREY, "ir": GREY}, rng(seed)) for seed in range(200)]
    is_striped = np.array([[faces[name].std() > 0 for name in ("rgb", "ir")] for faces in changed])
    assert is_striped.mean() == pytest.approx(0.25, abs=0.06)
    assert (is_striped[:, 0] != is_striped[:, 1]).any()
