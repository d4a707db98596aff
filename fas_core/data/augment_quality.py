"""Losses of quality as cameras, phones and video calls cause them: blur, resampling, noise, JPEG.

Their strengths are those of images at the size of the network's input.
"""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np

from fas_core.data.images import Image

BLUR = (0.3, 1.5)
"""Standard deviation of the Gaussian blur in pixels, log-uniform."""

SCALE = (0.4, 1.0)
"""Side to which an image is reduced before it is enlarged again, as a fraction, uniform."""

NOISE = (1.0, 8.0)
"""Standard deviation of the noise of each value, of 255, log-uniform."""

JPEG = (30, 95)
"""JPEG quality, uniform."""


def reduce_quality(image: Image, rng: np.random.Generator, chance: float) -> Image:
    """Blur, resample, add noise and compress an image (H, W, 3), in this order, each with a probability.

    With `chance` 0 nothing is drawn from `rng`.
    """
    if not chance:
        return image
    for degrade in (add_blur, resample, add_noise, compress):
        if rng.random() < chance:
            image = degrade(image, rng)
    return image


def draw_log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def add_blur(image: Image, rng: np.random.Generator) -> Image:
    """Blur an image as a lens out of focus does."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), draw_log_uniform(rng, *BLUR)))


def resample(image: Image, rng: np.random.Generator) -> Image:
    """Reduce an image by areas and enlarge it again, linearly."""
    height, width = image.shape[:2]
    scale = rng.uniform(*SCALE)
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    reduced = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR))


def add_noise(image: Image, rng: np.random.Generator) -> Image:
    """Add independent Gaussian noise to each value."""
    noise = rng.standard_normal(image.shape, np.float32) * np.float32(draw_log_uniform(rng, *NOISE))
    return np.clip(np.round(image + noise), 0, 255).astype(np.uint8)


def compress(image: Image, rng: np.random.Generator) -> Image:
    """Compress an image as JPEG, and decode it."""
    quality = int(rng.integers(JPEG[0], JPEG[1] + 1))
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cast(Image, cv2.imdecode(data, cv2.IMREAD_COLOR))  # never None: OpenCV has just written it
    return cast(Image, cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))
