import numpy as np
import pytest
from attrs import evolve

from fas_plugins.datasets.simulator.noise import make_generator
from fas_plugins.datasets.simulator.scene import View
from fas_plugins.datasets.simulator.sensor import (
    shift_viewpoint,
    take_color_picture,
    take_depth_picture,
    take_infrared_picture,
)

SIZE = 64


@pytest.fixture
def view() -> View:
    """A red ramp in depth: from 0 mm at the left to 63 mm at the right."""
    ones = np.ones((SIZE, SIZE), np.float32)
    rgb = ones[..., None] * np.array([0.5, 0.2, 0.1], np.float32)
    height = np.tile(np.arange(SIZE, dtype=np.float32), (SIZE, 1))
    return View(rgb=rgb, ir=0.5 * ones, height=height, cover=ones)


def test_colour_is_bgr_and_exposed_for_the_middle(view: View) -> None:
    picture = take_color_picture(view, make_generator(0))
    blue, green, red = picture[16:-16, 16:-16].mean((0, 1))
    assert picture.dtype == np.uint8
    assert red > green > blue
    dark = take_color_picture(evolve(view, rgb=view.rgb / 4), make_generator(0))
    assert dark.mean() == pytest.approx(picture.mean(), abs=8)


def test_infrared_has_a_fixed_exposure(view: View) -> None:
    picture = take_infrared_picture(view, make_generator(0))
    dark = take_infrared_picture(evolve(view, ir=view.ir / 4), make_generator(0))
    assert picture.shape == (SIZE, SIZE)
    assert dark.mean() < 0.6 * picture.mean()


def test_depth_falls_by_three_halves_per_millimetre(view: View) -> None:
    picture = take_depth_picture(view, make_generator(0)).astype(float)
    measured = np.where(picture > 0, picture, np.nan)
    slope = np.nanmean(measured[:, 50:60]) - np.nanmean(measured[:, 20:30])
    assert slope == pytest.approx(1.5 * 30, abs=2)
    assert 215 < np.nanmax(measured) < 250


def test_depth_is_missing_on_the_background_and_on_dark_surfaces(view: View) -> None:
    hidden, dark = view.cover.copy(), view.ir.copy()
    hidden[:8], dark[-8:] = 0, 0.0
    picture = take_depth_picture(evolve(view, cover=hidden, ir=dark), make_generator(0))
    assert not picture[:8].any()
    assert (picture[-8:] > 0).mean() < 0.05
    nothing = take_depth_picture(evolve(view, cover=0 * view.cover), make_generator(0))
    assert not nothing.any()


def test_the_infrared_camera_sees_a_smaller_image_from_aside(view: View) -> None:
    shifted = shift_viewpoint(view, 48, make_generator(0))
    assert shifted.height.shape == shifted.ir.shape == shifted.cover.shape == (48, 48)
    assert shifted.rgb is view.rgb
    assert np.abs(shifted.height.mean() - view.height.mean()) < 0.03 * SIZE
