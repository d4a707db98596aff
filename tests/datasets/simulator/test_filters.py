import numpy as np
import pytest

from fas_plugins.datasets.simulator.filters import blur, remap, resize, sharpen, to_rgb, translate

RAMP = np.tile(np.arange(8, dtype=np.float32), (8, 1))


def test_to_rgb_multiplies_the_plane_by_each_factor() -> None:
    rgb = to_rgb(RAMP, (1, 0.5, 2))
    assert rgb.dtype == np.float32
    np.testing.assert_array_equal(rgb, RAMP[..., None] * np.array([1, 0.5, 2], np.float32))


def test_resize_averages_areas() -> None:
    np.testing.assert_array_equal(resize(RAMP, 4)[0], [0.5, 2.5, 4.5, 6.5])


def test_blur_and_sharpen_keep_a_constant_image() -> None:
    constant = np.full((8, 8), 0.3, np.float32)
    np.testing.assert_allclose(blur(constant, 2.0), constant, atol=1e-6)
    np.testing.assert_allclose(sharpen(constant, 0.6), constant, atol=1e-6)


def test_sharpen_raises_the_contrast_of_an_edge_and_stays_positive() -> None:
    edge = (RAMP > 3).astype(np.float32)
    sharp = sharpen(edge, 1.0)
    assert sharp.max() > 1.1
    assert sharp.min() == 0


def test_translate_moves_right_and_down() -> None:
    point = np.zeros((8, 8), np.float32)
    point[2, 3] = 1
    assert np.argwhere(translate(point, 2, 1)).tolist() == [[3, 5]]


def test_remap_interpolates_and_replicates_borders() -> None:
    columns, rows = np.array([[1.5, -5.0, 20.0]]), np.zeros((1, 3))
    assert remap(RAMP, columns, rows)[0] == pytest.approx([1.5, 0, 7])
