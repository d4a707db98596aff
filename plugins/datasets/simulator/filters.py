"""Image filters of the simulator: thin wrappers of OpenCV that keep float32."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.floating[Any]]
"""(H, W) or (H, W, 3), float32 unless arithmetic with a scalar widened it."""


def to_rgb(plane: Image, factors: Iterable[float] = (1, 1, 1)) -> Image:
    """Return (H, W, 3): the plane times one factor per channel. Much faster than NumPy broadcasting."""
    return np.asarray(cv2.merge([plane * float(factor) for factor in factors]), np.float32)


def resize(image: Image, size: int, interpolation: int = cv2.INTER_AREA) -> Image:
    """Resize to (size, size)."""
    return np.asarray(cv2.resize(image, (size, size), interpolation=interpolation), np.float32)


def blur(image: Image, sigma: float) -> Image:
    """Apply a Gaussian blur, sigma in pixels. Borders are replicated."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def sharpen(image: Image, amount: float) -> Image:
    """Apply unsharp masking, as cameras and printers do."""
    return np.maximum(image + amount * (image - blur(image, 1.0)), 0)


def remap(image: Image, columns: Image, rows: Image) -> Image:
    """Sample the image at the given pixel positions, bilinearly. Borders are replicated."""
    positions = (np.asarray(columns, np.float32), np.asarray(rows, np.float32))
    sampled = cv2.remap(image, *positions, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)


def translate(image: Image, right: float, down: float) -> Image:
    """Shift the image by pixels to the right and down. Borders are replicated."""
    matrix = np.asarray([[1, 0, right], [0, 1, down]], np.float32)
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.float32)
