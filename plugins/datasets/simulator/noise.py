"""Images as arrays, and randomness that depends on what is drawn, never on when or by whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.floating[Any]]
"""(H, W) or (H, W, 3), float32 unless a scalar's arithmetic widened it."""


def generator(seed: int, *key: int) -> np.random.Generator:
    """The generator of one thing, e.g. of (subject, species, take)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def white(rng: np.random.Generator, *shape: int) -> Image:
    """Independent standard normal values."""
    return rng.standard_normal(shape, np.float32)


def smooth(rng: np.random.Generator, size: int, cells: int, *channels: int) -> Image:
    """(size, size, *channels) values of spread about 1 that vary over `cells` cells across."""
    return resized(white(rng, cells, cells, *channels), size, cv2.INTER_CUBIC)


def colored(plane: Image, rgb: Iterable[float] = (1, 1, 1)) -> Image:
    """(H, W, 3) of a plane times each of three factors; much faster than broadcasting over three."""
    return np.asarray(cv2.merge([plane * float(factor) for factor in rgb]), np.float32)


def resized(image: Image, size: int, rule: int = cv2.INTER_AREA) -> Image:
    """The image at (size, size)."""
    return np.asarray(cv2.resize(image, (size, size), interpolation=rule), np.float32)


def blurred(image: Image, sigma: float) -> Image:
    """Gaussian blur, sigma in pixels; borders repeat."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def sharpened(image: Image, amount: float) -> Image:
    """Unsharp masking, as cameras and printers do."""
    return np.maximum(image + amount * (image - blurred(image, 1.0)), 0)


def warped(image: Image, columns: Image, rows: Image) -> Image:
    """The image at the given pixel positions; borders repeat."""
    at = (np.asarray(columns, np.float32), np.asarray(rows, np.float32))
    return np.asarray(cv2.remap(image, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def moved(image: Image, right: float, down: float) -> Image:
    """The image shifted by pixels, to the right and down; borders repeat."""
    shift = np.asarray([[1, 0, right], [0, 1, down]], np.float32)
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.warpAffine(image, shift, size, borderMode=cv2.BORDER_REPLICATE), np.float32)
