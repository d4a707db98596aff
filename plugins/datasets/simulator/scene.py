"""Where and when a picture is taken: pose, lamps and what is behind. All of it is random."""

from __future__ import annotations

from math import hypot

import cv2
import numpy as np
from attrs import frozen

from fas_plugins.datasets.simulator.light import Light, lit
from fas_plugins.datasets.simulator.noise import Image, colored, resized, smooth
from fas_plugins.datasets.simulator.relief import FRAME, Pose, Relief, posed


@frozen(eq=False)
class View:
    """What comes to the cameras.

    Args:
        rgb: linear RGB light, (H, W, 3).
        ir: linear infrared light, (H, W).
        height: mm towards the cameras, (H, W).
        cover: 1 where something stands, 0 where the backdrop is, (H, W).
    """

    rgb: Image
    ir: Image
    height: Image
    cover: Image


def view(relief: Relief, pose: Pose, size: int, rng: np.random.Generator, reach: float = FRAME) -> View:
    """What is seen of a posed relief under some light, before some backdrop, (size, size)."""
    seen = posed(relief, pose, size, reach)
    rgb, ir = lit(seen, _light(rng), reach)
    behind, cover = _backdrop(rng, size, reach), seen.cover
    return View(
        rgb=rgb * colored(cover) + behind * colored(1 - cover),
        ir=ir * cover + rng.uniform(0, 0.3) * behind[..., 0] * (1 - cover),
        height=seen.height,
        cover=cover,
    )


def head_pose(rng: np.random.Generator) -> Pose:
    """Of a person who looks at the camera, more or less."""
    return _pose(rng, yaw=(0.12, 0.26), pitch=(0.08, 0.18))


def hand_pose(rng: np.random.Generator) -> Pose:
    """Of a sheet that is held before the camera."""
    return _pose(rng, yaw=(0.18, 0.4), pitch=(0.14, 0.35))


def exposure(rgb: Image, level: float) -> float:
    """What to multiply linear light with, so that the middle of the picture has that mean."""
    size = len(rgb)
    middle = slice(size // 4, -size // 4)
    return level / max(float(rgb[middle, middle].mean()), 0.01)


def _pose(rng: np.random.Generator, yaw: tuple[float, float], pitch: tuple[float, float]) -> Pose:
    """Angles are (spread, limit)."""
    return Pose(
        yaw=_within(rng, *yaw),
        pitch=_within(rng, *pitch),
        roll=_within(rng, 0.05, 0.12),
        scale=rng.uniform(0.92, 1.1),
        right=rng.uniform(-0.06, 0.06),
        down=rng.uniform(-0.06, 0.06),
    )


def _within(rng: np.random.Generator, spread: float, limit: float) -> float:
    return float(np.clip(rng.normal(0, spread), -limit, limit))


def _light(rng: np.random.Generator) -> Light:
    """A lamp somewhere above the cameras, and light from all around."""
    right, down, near = rng.uniform(-0.8, 0.8), rng.uniform(-0.9, 0.1), rng.uniform(0.5, 1.0)
    length = hypot(right, down, near)
    key, fill = rng.uniform(0.35, 1.0), rng.uniform(0.3, 0.6)
    warmth, other = rng.uniform(-0.12, 0.18), rng.uniform(-0.1, 0.1)
    return Light(
        towards=(right / length, down / length, near / length),
        key=(key * (1 + warmth), key, key * (1 - warmth)),
        fill=(fill * (1 + other), fill, fill * (1 - other)),
    )


def _backdrop(rng: np.random.Generator, size: int, reach: float) -> Image:
    """What is behind, out of focus: linear RGB, (size, size, 3)."""
    coarse, margin = 48, 8
    tone = rng.uniform(0.03, 0.5, 3) * 0.4 + rng.uniform(0.03, 0.5) * 0.6
    cells = round(rng.uniform(4, 10) * reach / FRAME)
    pattern = colored(smooth(rng, coarse, cells)) + 0.3 * smooth(rng, coarse, 6, 3)
    # Towards its own borders a smooth pattern is flat, which would tell pictures from what is there.
    pattern = pattern[margin:-margin, margin:-margin]
    return resized((tone * np.clip(1 + 0.35 * pattern, 0.1, 2.5)).astype(np.float32), size, cv2.INTER_LINEAR)
