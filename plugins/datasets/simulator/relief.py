"""A height field with its materials, and how it looks from the front once it is posed.

Lengths across the face are in units of 100 mm, heights towards the cameras in mm.
"""

from __future__ import annotations

from functools import lru_cache
from math import cos, sin

import numpy as np
from attrs import evolve, frozen

from fas_plugins.datasets.simulator.noise import Image, colored, warped

REACH = 1.6
"""A relief covers -REACH..REACH units around the middle of the face, right and down."""
FRAME = 1.2
"""What the cameras' crops cover, likewise."""
PIVOT = 40.0
"""The height of the point that things turn about, mm."""


@frozen(eq=False)
class Relief:
    """Something that can stand before the cameras, seen straight on; arrays of (H, W[, 3]).

    Args:
        height: mm towards the cameras.
        color: linear RGB reflectance, 0..1.
        ir: reflectance at 850 nm, 0..1.
        gloss: strength of the highlight, 0..1.
        cover: 1 where there is something, 0 where one looks past it.
        glow: linear RGB light that it gives off, or None.
    """

    height: Image
    color: Image
    ir: Image
    gloss: Image
    cover: Image
    glow: Image | None = None


@frozen
class Pose:
    """How a relief stands: angles in radians, scale, and offset in units right and down."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0


@lru_cache(maxsize=16)
def grid(size: int, reach: float) -> tuple[Image, Image]:
    """x to the right and y down of every pixel's middle, (size, size) each, not to be written to."""
    line = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1) * np.float32(reach)
    x, y = np.meshgrid(line, line)
    x.flags.writeable = y.flags.writeable = False
    return x, y


def warped_relief(relief: Relief, x: Image, y: Image, height: Image) -> Relief:
    """The materials at points x, y, with other heights."""
    size = len(relief.height)
    columns, rows = ((along / REACH + 1) * (size / 2) - 0.5 for along in (x, y))
    return Relief(
        height=height,
        color=warped(relief.color, columns, rows),
        ir=warped(relief.ir, columns, rows),
        gloss=warped(relief.gloss, columns, rows),
        cover=warped(relief.cover, columns, rows),
        glow=None if relief.glow is None else warped(relief.glow, columns, rows),
    )


def posed(relief: Relief, pose: Pose, size: int, reach: float = FRAME) -> Relief:
    """The relief as it is seen from the front once it is posed, (size, size)."""
    right, down = _before_roll(pose, *grid(size, reach))
    sin_yaw, cos_yaw, sin_pitch, cos_pitch = sin(pose.yaw), cos(pose.yaw), sin(pose.pitch), cos(pose.pitch)
    half = len(relief.height) / 2
    height = np.zeros_like(right)
    # Which point of the surface lands on a pixel depends on its own height: a few fixed-point steps.
    for _ in range(4):
        x = (right - height * sin_yaw) / cos_yaw
        forward = height * cos_yaw - x * sin_yaw
        y = (down + forward * sin_pitch) / cos_pitch
        found = warped(relief.height, (x / REACH + 1) * half - 0.5, (y / REACH + 1) * half - 0.5)
        height = (found - PIVOT) / 100
    forward = (height * cos_yaw - x * sin_yaw) * cos_pitch + y * sin_pitch
    return warped_relief(relief, x, y, forward * (100 * pose.scale))


def over(front: Relief, mask: Image, back: Relief) -> Relief:
    """The front's materials where `mask` is 1, pushed out where the back is higher."""
    wide = colored(mask)
    return evolve(
        back,
        height=np.where(mask > 0.5, np.maximum(front.height, back.height), back.height),
        color=front.color * wide + back.color * (1 - wide),
        ir=front.ir * mask + back.ir * (1 - mask),
        gloss=front.gloss * mask + back.gloss * (1 - mask),
        cover=np.maximum(front.cover * mask, back.cover),
    )


def _before_roll(pose: Pose, right: Image, down: Image) -> tuple[Image, Image]:
    right, down = (right - pose.right) / pose.scale, (down - pose.down) / pose.scale
    turned = right * cos(pose.roll) + down * sin(pose.roll)
    return turned, down * cos(pose.roll) - right * sin(pose.roll)
