"""Local binary patterns against loops over pixels, and colours against OpenCV and the standard library."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
import pytest
import torch

from fas_core import NoOptions
from fas_plugins.backbones.color_lbp import (
    ColorLBP,
    compute_patterns,
    convert_to_hsv,
    convert_to_ycbcr,
    list_uniform_patterns,
)

IMAGE = np.random.default_rng(3).integers(0, 256, (32, 32, 3), np.uint8)
SMOOTH = cv2.resize(IMAGE, (64, 64), interpolation=cv2.INTER_CUBIC)


def to_tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]


def count_circular_changes(code: int) -> int:
    bits = f"{code:08b}"
    return sum(first != second for first, second in zip(bits, bits[1:] + bits[:1], strict=True))


def histogram(channel: np.ndarray, radius: int) -> np.ndarray:
    """Count the uniform patterns of one channel pixel by pixel."""
    ring = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    uniform = [code for code in range(256) if count_circular_changes(code) <= 2]
    counts = np.zeros(59)
    side = len(channel)
    for y in range(radius, side - radius):
        for x in range(radius, side - radius):
            bits = [channel[y + radius * dy, x + radius * dx] >= channel[y, x] for dy, dx in ring]
            code = sum(int(bit) << index for index, bit in enumerate(bits))
            counts[uniform.index(code) if code in uniform else 58] += 1
    return counts * 59 / counts.sum()


def test_the_table_of_uniform_patterns() -> None:
    columns = list_uniform_patterns()
    assert sorted(set(columns)) == list(range(59))
    assert columns.count(58) == 256 - 58
    assert [code for code in range(256) if columns[code] < 58] == [
        code for code in range(256) if count_circular_changes(code) <= 2
    ]


def test_ycbcr_is_that_of_opencv() -> None:
    corners = np.array([[[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)]], np.uint8)
    for image in (IMAGE, corners):
        expected = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
        np.testing.assert_array_equal(convert_to_ycbcr(to_tensor(image))[0].permute(1, 2, 0), expected)


def test_hsv_is_that_of_the_standard_library_rounded() -> None:
    image = np.concatenate([IMAGE, np.full_like(IMAGE[:1], 77), np.zeros_like(IMAGE[:1])])
    result = convert_to_hsv(to_tensor(image))[0].permute(1, 2, 0).reshape(-1, 3).numpy()
    exact = np.array([colorsys.rgb_to_hsv(*pixel) for pixel in image.reshape(-1, 3).tolist()])
    difference = result - exact * [180, 255, 1]
    difference[:, 0] = (difference[:, 0] + 90) % 180 - 90  # hue is a circle
    assert np.abs(difference).max() <= 0.5 + 1e-6
    assert result[:, 0].min() >= 0
    assert result[:, 0].max() <= 180


def test_patterns_of_a_hand_worked_map() -> None:
    x = torch.tensor([[5.0, 1, 9], [4, 5, 6], [5, 0, 2]])[None, None]
    # at least 5, clockwise from the upper left: 5 yes, 1 no, 9 yes, 6 yes, 2 no, 0 no, 5 yes, 4 no
    assert compute_patterns(x, 1).item() == 1 + 4 + 8 + 64


def test_features_are_those_of_loops_over_pixels() -> None:
    network = ColorLBP(NoOptions(), input_size=64, until="maps")
    half = np.floor(SMOOTH.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3)) + 0.5).astype(np.uint8)
    ycc = cv2.cvtColor(half, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
    hsv = convert_to_hsv(to_tensor(half))[0].permute(1, 2, 0).numpy()
    colour = [*np.moveaxis(ycc, 2, 0), *np.moveaxis(hsv, 2, 0)]
    grey = [cv2.cvtColor(SMOOTH, cv2.COLOR_RGB2YCrCb)[..., 0]]
    order = [(channel, radius) for maps in (colour, grey) for radius in (1, 2) for channel in maps]
    expected = [histogram(channel, radius) for channel, radius in order]
    result = network(to_tensor(SMOOTH) / 255)
    assert result.shape == (1, 826, 1, 1)
    np.testing.assert_allclose(result.flatten(), np.concatenate(expected), atol=1e-4)


@pytest.mark.parametrize("change", [lambda x: x + 20, lambda x: 100 + x // 4])
def test_grey_patterns_do_not_see_the_light(change: object) -> None:
    steps = (np.arange(32)[:, None] % 5 * 8 + np.arange(32)[None] % 3 * 16).astype(np.uint8)
    first, second = (to_tensor(np.dstack([image] * 3)) for image in (steps, change(steps)))  # type: ignore[operator]
    patterns = [compute_patterns(convert_to_ycbcr(image)[:, :1], 1) for image in (first, second)]
    assert torch.equal(*patterns)
