"""The cameras: light to 8-bit pictures, with noise, blur, exposure and missing depth."""

from __future__ import annotations

import cv2
import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from fas_plugins.datasets.simulator.filters import Image, blur, resize, sharpen, to_rgb, translate
from fas_plugins.datasets.simulator.noise import smooth_noise, white_noise
from fas_plugins.datasets.simulator.scene import View, compute_exposure_gain
from fas_plugins.datasets.simulator.surface import pixel_grid

Picture = NDArray[np.uint8]

NEAREST_DEPTH, DEPTH_PER_MM = 230, 1.5
"""The depth value of the nearest point, and its decrease per mm behind it; 0 is not measured."""


def take_color_picture(view: View, rng: np.random.Generator) -> Picture:
    """Return (H, W, 3) BGR, exposed for the middle of the image."""
    size = len(view.rgb)
    gain = compute_exposure_gain(view.rgb, rng.uniform(0.17, 0.27)) * rng.uniform(0.94, 1.06, 3)
    light: Image = blur(view.rgb, rng.uniform(0.6, 1.4) * size / 128)
    light = light * to_rgb(_draw_vignette(rng, size), gain)
    light = sharpen(light, rng.uniform(0, 0.6))
    shot_noise = rng.uniform(0.004, 0.02) * np.sqrt(np.maximum(light, 0) + 0.02)
    light = light + shot_noise * white_noise(rng, size, size, 3)
    # Compress highlights instead of clipping them.
    light = np.where(light > 0.8, 1 - 0.2 * np.exp(-(light - 0.8) / 0.2), light)
    return np.ascontiguousarray(_encode_gamma(light, gamma=2.2)[..., ::-1])


def take_infrared_picture(view: View, rng: np.random.Generator) -> Picture:
    """Return (H, W), at the camera's fixed exposure."""
    size = len(view.ir)
    light = blur(view.ir, rng.uniform(0.3, 0.9) * size / 96)
    light = light * rng.uniform(0.8, 1.2) * _draw_vignette(rng, size)
    speckle, read_noise = 0.05 * white_noise(rng, size, size), 0.008 * white_noise(rng, size, size)
    return _encode_gamma(light * (1 + speckle) + read_noise + 0.01, gamma=1.6)


def take_depth_picture(view: View, rng: np.random.Generator) -> Picture:
    """Return (H, W), scaled as `NEAREST_DEPTH` says.

    Depth is missing on the background, on what is dark in infrared, and at steep edges.
    """
    size = len(view.height)
    fine, coarse = 1.2 * white_noise(rng, size, size), 2.0 * blur(white_noise(rng, size, size), 1.5)
    measured = view.height + fine + coarse
    echo = view.ir + 0.015 * white_noise(rng, size, size) + 0.02 * smooth_noise(rng, size, 16)
    edges = np.abs(np.asarray(cv2.Laplacian(view.height, cv2.CV_32F), np.float32))
    steep = blur(edges, 0.7) > rng.uniform(12, 25)
    stains = smooth_noise(rng, size, 12) > rng.uniform(1.7, 2.6)
    missing = (view.cover < 0.5) | (echo < 0.06) | steep | stains
    nearest = float(np.percentile(measured[~missing], 99)) if not missing.all() else 0.0
    values = NEAREST_DEPTH + rng.uniform(-10, 10) + DEPTH_PER_MM * (measured - nearest)
    return _to_uint8(np.where(missing, 0, values))


def shift_viewpoint(view: View, size: int, rng: np.random.Generator) -> View:
    """Return the view of the depth and infrared camera beside the colour camera, (size, size).

    Colour stays as it is.
    """
    right, down = rng.uniform(-0.02, 0.02, 2) * len(view.ir)
    ir, height, cover = (
        resize(translate(image, right, down), size) for image in (view.ir, view.height, view.cover)
    )
    return evolve(view, ir=ir, height=height, cover=cover)


def _draw_vignette(rng: np.random.Generator, size: int) -> Image:
    x, y = pixel_grid(size, 1)
    return 1 - rng.uniform(0.05, 0.25) * (x**2 + y**2) / 2


def _encode_gamma(light: Image, gamma: float) -> Picture:
    return _to_uint8(np.clip(light, 0, 1) ** (1 / gamma) * 255)


def _to_uint8(values: Image) -> Picture:
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)
