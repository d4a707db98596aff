"""The random scene of a picture: pose, lamp and background, and the light that reaches the cameras."""

from __future__ import annotations

from math import hypot

import cv2
import numpy as np
from attrs import frozen

from fas_plugins.datasets.simulator.filters import Image, resize, to_rgb
from fas_plugins.datasets.simulator.light import Light, shade
from fas_plugins.datasets.simulator.noise import smooth_noise
from fas_plugins.datasets.simulator.surface import CAMERA_EXTENT, Pose, Surface, apply_pose


@frozen(eq=False)
class View:
    """The light that reaches the cameras, and the geometry behind it.

    Args:
        rgb: linear RGB light, (H, W, 3).
        ir: linear infrared light, (H, W).
        height: mm towards the cameras, (H, W).
        cover: 1 on the surface, 0 on the background, (H, W).
    """

    rgb: Image
    ir: Image
    height: Image
    cover: Image


def render_view(
    surface: Surface, pose: Pose, size: int, rng: np.random.Generator, extent: float = CAMERA_EXTENT
) -> View:
    """Render a posed surface under random light in front of a random background, (size, size)."""
    posed = apply_pose(surface, pose, size, extent)
    rgb, ir = shade(posed, _sample_light(rng), extent)
    background, cover = _render_background(rng, size, extent), posed.cover
    return View(
        rgb=rgb * to_rgb(cover) + background * to_rgb(1 - cover),
        ir=ir * cover + rng.uniform(0, 0.3) * background[..., 0] * (1 - cover),
        height=posed.height,
        cover=cover,
    )


def sample_head_pose(rng: np.random.Generator) -> Pose:
    """Draw the pose of a person who looks roughly at the camera."""
    return _sample_pose(rng, yaw=(0.12, 0.26), pitch=(0.08, 0.18))


def sample_sheet_pose(rng: np.random.Generator) -> Pose:
    """Draw the pose of a sheet that a hand holds before the camera."""
    return _sample_pose(rng, yaw=(0.18, 0.4), pitch=(0.14, 0.35))


def compute_exposure_gain(rgb: Image, level: float) -> float:
    """Return the factor of linear light that brings the mean of the image's middle to `level`."""
    size = len(rgb)
    middle = slice(size // 4, -size // 4)
    return level / max(float(rgb[middle, middle].mean()), 0.01)


def _sample_pose(rng: np.random.Generator, yaw: tuple[float, float], pitch: tuple[float, float]) -> Pose:
    """Draw a pose; each angle is given as (standard deviation, limit) in radians."""
    return Pose(
        yaw=_sample_clipped_normal(rng, *yaw),
        pitch=_sample_clipped_normal(rng, *pitch),
        roll=_sample_clipped_normal(rng, 0.05, 0.12),
        scale=rng.uniform(0.92, 1.1),
        right=rng.uniform(-0.06, 0.06),
        down=rng.uniform(-0.06, 0.06),
    )


def _sample_clipped_normal(rng: np.random.Generator, deviation: float, limit: float) -> float:
    return float(np.clip(rng.normal(0, deviation), -limit, limit))


def _sample_light(rng: np.random.Generator) -> Light:
    """Draw a lamp above the cameras and ambient light, each of its own warmth."""
    right, down, near = rng.uniform(-0.8, 0.8), rng.uniform(-0.9, 0.1), rng.uniform(0.5, 1.0)
    length = hypot(right, down, near)
    key, fill = rng.uniform(0.35, 1.0), rng.uniform(0.3, 0.6)
    key_warmth, fill_warmth = rng.uniform(-0.12, 0.18), rng.uniform(-0.1, 0.1)
    return Light(
        direction=(right / length, down / length, near / length),
        key=(key * (1 + key_warmth), key, key * (1 - key_warmth)),
        fill=(fill * (1 + fill_warmth), fill, fill * (1 - fill_warmth)),
    )


def _render_background(rng: np.random.Generator, size: int, extent: float) -> Image:
    """Render an out-of-focus background: linear RGB, (size, size, 3)."""
    coarse_size, margin = 48, 8
    tone = rng.uniform(0.03, 0.5, 3) * 0.4 + rng.uniform(0.03, 0.5) * 0.6
    cells = round(rng.uniform(4, 10) * extent / CAMERA_EXTENT)
    pattern = to_rgb(smooth_noise(rng, coarse_size, cells)) + 0.3 * smooth_noise(rng, coarse_size, 6, 3)
    # Smooth noise is flat near its borders, which would give a photo's background away: crop them off.
    pattern = pattern[margin:-margin, margin:-margin]
    rgb = (tone * np.clip(1 + 0.35 * pattern, 0.1, 2.5)).astype(np.float32)
    return resize(rgb, size, cv2.INTER_LINEAR)
