"""16-bit images as 8 bits: depth maps and infrared counts are stretched over the face."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""(H, W, 3) RGB, or a batch of them."""

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
"""(H, W, 3) RGB of 8 bits, or grey of 16 bits, which `to_uint8` converts once the face is known."""

SATURATED = 65535
"""Depth cameras write it, or 0, where they measured nothing."""

RANGE = (0.01, 0.99)
"""Quantiles of the measured values that become 1 and 255."""


def to_uint8(image: Pixels) -> Image:
    """Convert the pixels of a face or a whole image (H, W, 3) to 8 bits; uint8 is returned as it is.

    16-bit colour is divided by 257, as is grey that was 8 bits before. Other 16-bit grey is depth or infrared
    counts, which fill only a part of that range: 0 and 65535 (nothing measured) become 0. The others are
    stretched linearly, from their 1st to their 99th percentile, to 1..255, and clipped to it.
    """
    if image.dtype != np.uint16:
        return np.asarray(image, np.uint8)
    if not is_grey(image):
        return divide_by_257(image)
    grey = image[..., 0]
    counts = np.bincount(grey.ravel(), minlength=SATURATED + 1)
    counts[[0, SATURATED]] = 0
    levels = np.flatnonzero(counts)
    if len(levels) and not (levels % 257).any():
        return divide_by_257(image)
    values = np.zeros(SATURATED + 1, np.uint8)
    if len(levels):
        ranks = counts[levels].cumsum()
        low, high = levels[np.searchsorted(ranks, np.multiply(RANGE, ranks[-1]))]
        values[levels] = np.clip(1 + np.round((levels - low) * (254 / max(high - low, 1))), 1, 255)
    return np.repeat(values[grey][..., None], 3, axis=-1)


def is_grey(image: NDArray[Any]) -> bool:
    """Whether the channels of an image (H, W, 3) are equal."""
    return bool((image == image[..., :1]).all())


def divide_by_257(image: NDArray[Any]) -> Image:
    """Convert 16 bits a channel to 8 bits, 65535 to 255."""
    return np.asarray(cv2.convertScaleAbs(image, alpha=1 / 257), np.uint8)  # without a copy as float64
