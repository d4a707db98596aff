"""The cameras: light to 8-bit pictures, with their noise, blur, exposure and missing depth."""

from __future__ import annotations

import cv2
import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from fas_plugins.datasets.simulator.noise import (
    Image,
    blurred,
    colored,
    moved,
    resized,
    sharpened,
    smooth,
    white,
)
from fas_plugins.datasets.simulator.relief import grid
from fas_plugins.datasets.simulator.scene import View, exposure

Picture = NDArray[np.uint8]

FRONT, PER_MM = 230, 1.5
"""The depth picture's value of the nearest thing, and how much less each mm behind is; 0 = not measured."""


def color_picture(view: View, rng: np.random.Generator) -> Picture:
    """(H, W, 3) BGR, exposed for the middle of the frame."""
    size = len(view.rgb)
    gain = exposure(view.rgb, rng.uniform(0.17, 0.27)) * rng.uniform(0.94, 1.06, 3)
    light: Image = blurred(view.rgb, rng.uniform(0.6, 1.4) * size / 128) * colored(_vignette(rng, size), gain)
    light = sharpened(light, rng.uniform(0, 0.6))
    grain = rng.uniform(0.004, 0.02) * np.sqrt(np.maximum(light, 0) + 0.02)
    light = light + grain * white(rng, size, size, 3)
    # A soft shoulder instead of a hard limit for the highlights.
    light = np.where(light > 0.8, 1 - 0.2 * np.exp(-(light - 0.8) / 0.2), light)
    return np.ascontiguousarray(_picture(light, gamma=2.2)[..., ::-1])


def infrared_picture(view: View, rng: np.random.Generator) -> Picture:
    """(H, W), under the camera's fixed exposure."""
    size = len(view.ir)
    light = blurred(view.ir, rng.uniform(0.3, 0.9) * size / 96) * rng.uniform(0.8, 1.2) * _vignette(rng, size)
    speckle, floor = 0.05 * white(rng, size, size), 0.008 * white(rng, size, size)
    return _picture(light * (1 + speckle) + floor + 0.01, gamma=1.6)


def depth_picture(view: View, rng: np.random.Generator) -> Picture:
    """(H, W), see `FRONT`. Nothing comes back from the backdrop, dark things in infrared and steep edges."""
    size = len(view.height)
    measured = view.height + 1.2 * white(rng, size, size) + 2.0 * blurred(white(rng, size, size), 1.5)
    echo = view.ir + 0.015 * white(rng, size, size) + 0.02 * smooth(rng, size, 16)
    edges = np.abs(np.asarray(cv2.Laplacian(view.height, cv2.CV_32F), np.float32))
    steep = blurred(edges, 0.7) > rng.uniform(12, 25)
    stains = smooth(rng, size, 12) > rng.uniform(1.7, 2.6)
    lost = (view.cover < 0.5) | (echo < 0.06) | steep | stains
    near = float(np.percentile(measured[~lost], 99)) if not lost.all() else 0.0
    values = FRONT + rng.uniform(-10, 10) + PER_MM * (measured - near)
    return _bytes(np.where(lost, 0, values))


def from_aside(view: View, size: int, rng: np.random.Generator) -> View:
    """The view from the depth and infrared camera beside, (size, size); colour is left as it was."""
    right, down = rng.uniform(-0.02, 0.02, 2) * len(view.ir)
    ir, height, cover = (
        resized(moved(image, right, down), size) for image in (view.ir, view.height, view.cover)
    )
    return evolve(view, ir=ir, height=height, cover=cover)


def _vignette(rng: np.random.Generator, size: int) -> Image:
    x, y = grid(size, 1)
    return 1 - rng.uniform(0.05, 0.25) * (x**2 + y**2) / 2


def _picture(light: Image, gamma: float) -> Picture:
    return _bytes(np.clip(light, 0, 1) ** (1 / gamma) * 255)


def _bytes(values: Image) -> Picture:
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)
