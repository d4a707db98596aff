"""Stripes as a camera sees them on a screen, where its pixels and those of the screen beat.

Cai et al. (Towards Data-Centric Face Anti-Spoofing, arXiv 2409.03501) train with moire patterns among other
artefacts. Here they are computed: the beat of two gratings is a wave whose period depends on distance and
angle; it bends with the perspective; and its phase differs between red, green and blue, whose subpixels lie
side by side.
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from fas_plugins.augmentations.each_image import EachImage, Image, draw_log_uniform
from fas_plugins.augmentations.options import MoireOptions

THIRD = 2 * np.pi / 3
"""Phase between neighbouring subpixels where the stripes have all colours; at 0 they are grey."""

BEND = 1.5
"""Largest number of periods by which a stripe is off a straight line at the image's edge."""


def make_moire(options: MoireOptions) -> EachImage:
    change = partial(add_stripes, period=options.period, contrast=options.contrast)
    return EachImage(options.probability, (change,))


def add_stripes(
    image: Image, rng: np.random.Generator, period: tuple[float, float], contrast: tuple[float, float]
) -> Image:
    """Multiply an image (S, S, 3) by stripes of some width in pixels and some contrast in (0, 1]."""
    stripes = draw_stripes(rng, len(image), draw_log_uniform(rng, *period))
    factors = 1 + np.float32(rng.uniform(*contrast)) * stripes
    return np.asarray(cv2.multiply(image, factors, dtype=cv2.CV_8U))


def draw_stripes(rng: np.random.Generator, side: int, period: float) -> NDArray[np.float32]:
    """Draw stripes in [-1, 1], (side, side, 3), `period` pixels wide at the centre, in any direction."""
    angle, start = rng.uniform(0, 2 * np.pi, 2)
    axis = np.arange(side, dtype=np.float32) - (side - 1) / 2
    along = np.float32(np.cos(angle)) * axis + np.float32(np.sin(angle)) * axis[:, None]
    across = np.float32(np.cos(angle)) * axis[:, None] - np.float32(np.sin(angle)) * axis
    bend = rng.uniform(-BEND, BEND) * (across / (side / 2)) ** 2
    phase = (2 * np.pi * (along / period + bend) + start).astype(np.float32)
    shift = rng.uniform(0, THIRD)
    return np.stack([np.cos(phase + np.float32(number * shift)) for number in (-1, 0, 1)], axis=-1)
