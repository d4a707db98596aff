"""A surface as a height field with materials, and its appearance from the front under a pose.

Lengths across the face are in units of 100 mm, heights towards the cameras in mm.
"""

from __future__ import annotations

from functools import lru_cache
from math import cos, sin

import numpy as np
from attrs import evolve, frozen

from fas_plugins.datasets.simulator.filters import Image, remap, to_rgb

SURFACE_EXTENT = 1.6
"""A surface covers -1.6..1.6 units to the right and down of the middle of the face."""
CAMERA_EXTENT = 1.2
"""The cameras' crops cover -1.2..1.2 units."""
PIVOT = 40.0
"""Height in mm of the point about which surfaces turn."""


@frozen(eq=False)
class Surface:
    """Something in front of the cameras, seen from the front; arrays of (H, W) or (H, W, 3).

    Args:
        height: mm towards the cameras.
        color: linear RGB reflectance, 0..1.
        ir: reflectance at 850 nm, 0..1.
        gloss: strength of the highlight, 0..1.
        cover: 1 on the surface, 0 where the background shows.
        glow: emitted linear RGB light, or None.
    """

    height: Image
    color: Image
    ir: Image
    gloss: Image
    cover: Image
    glow: Image | None = None


@frozen
class Pose:
    """Orientation of a surface: angles in radians, scale, and offset in units to the right and down."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0


@lru_cache(maxsize=16)
def pixel_grid(size: int, extent: float) -> tuple[Image, Image]:
    """Return x (right) and y (down) of every pixel centre, (size, size) each, within -extent..extent.

    The arrays are cached and read-only.
    """
    line = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1) * np.float32(extent)
    x, y = np.meshgrid(line, line)
    x.flags.writeable = y.flags.writeable = False
    return x, y


def warp_surface(surface: Surface, x: Image, y: Image, height: Image) -> Surface:
    """Sample the materials at points x, y and set the heights to `height`."""
    size = len(surface.height)
    columns, rows = ((axis / SURFACE_EXTENT + 1) * (size / 2) - 0.5 for axis in (x, y))
    return Surface(
        height=height,
        color=remap(surface.color, columns, rows),
        ir=remap(surface.ir, columns, rows),
        gloss=remap(surface.gloss, columns, rows),
        cover=remap(surface.cover, columns, rows),
        glow=None if surface.glow is None else remap(surface.glow, columns, rows),
    )


def apply_pose(surface: Surface, pose: Pose, size: int, extent: float = CAMERA_EXTENT) -> Surface:
    """Return the posed surface as it looks from the front, (size, size) over -extent..extent units."""
    right, down = _undo_roll(pose, *pixel_grid(size, extent))
    sin_yaw, cos_yaw, sin_pitch, cos_pitch = sin(pose.yaw), cos(pose.yaw), sin(pose.pitch), cos(pose.pitch)
    half = len(surface.height) / 2
    height = np.zeros_like(right)
    # Which point of the surface is seen at a pixel depends on its height: solve by fixed-point iteration.
    for _ in range(4):
        x = (right - height * sin_yaw) / cos_yaw
        forward = height * cos_yaw - x * sin_yaw
        y = (down + forward * sin_pitch) / cos_pitch
        columns, rows = (x / SURFACE_EXTENT + 1) * half - 0.5, (y / SURFACE_EXTENT + 1) * half - 0.5
        height = (remap(surface.height, columns, rows) - PIVOT) / 100
    forward = (height * cos_yaw - x * sin_yaw) * cos_pitch + y * sin_pitch
    return warp_surface(surface, x, y, forward * (100 * pose.scale))


def overlay(front: Surface, mask: Image, back: Surface) -> Surface:
    """Put `front` over `back` where `mask` is 1. Where the back is higher, it pushes the front out."""
    mask_rgb = to_rgb(mask)
    return evolve(
        back,
        height=np.where(mask > 0.5, np.maximum(front.height, back.height), back.height),
        color=front.color * mask_rgb + back.color * (1 - mask_rgb),
        ir=front.ir * mask + back.ir * (1 - mask),
        gloss=front.gloss * mask + back.gloss * (1 - mask),
        cover=np.maximum(front.cover * mask, back.cover),
    )


def _undo_roll(pose: Pose, right: Image, down: Image) -> tuple[Image, Image]:
    """Undo the offset, scale and roll of a pose."""
    right, down = (right - pose.right) / pose.scale, (down - pose.down) / pose.scale
    x = right * cos(pose.roll) + down * sin(pose.roll)
    return x, down * cos(pose.roll) - right * sin(pose.roll)
