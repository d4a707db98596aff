"""How light falls on a relief: Lambert's law, a highlight, hollows, shadows, and an infrared lamp."""

from __future__ import annotations

from math import hypot

import cv2
import numpy as np
from attrs import frozen

from fas_plugins.datasets.simulator.noise import Image, blurred, colored, moved
from fas_plugins.datasets.simulator.relief import Relief

Rgb = tuple[float, float, float]


@frozen
class Light:
    """What lights a scene; the infrared camera has a lamp of its own, of strength 1.

    Args:
        towards: unit vector to the lamp: right, down, to the cameras.
        key: (R, G, B) strength of the lamp.
        fill: (R, G, B) strength of light from all around.
    """

    towards: Rgb
    key: Rgb
    fill: Rgb


def lit(relief: Relief, light: Light, reach: float) -> tuple[Image, Image]:
    """Light that reaches the cameras: linear RGB (H, W, 3) and infrared (H, W).

    Args:
        relief: seen from the front.
        light: the scene's.
        reach: half of the view's width, units.
    """
    step = 2 * reach / len(relief.height)
    across, along = (_slope(relief.height, axis, step) for axis in (0, 1))
    facing = 1 / np.sqrt(1 + across**2 + along**2)
    right, down, near = light.towards
    towards = near - across * right - along * down
    lamp = np.maximum(towards * facing, 0) * (1 - 0.75 * _shadow(relief.height, light.towards, step))
    # A mirror halfway between the view and the lamp would show it.
    mirrored = np.maximum((towards + 1) * facing / hypot(right, down, near + 1), 0)
    hollow = (blurred(relief.height, 0.1 / step) - relief.height) / 40
    open_sky = np.clip(1 - hollow, 0.35, 1.1)
    from_above = open_sky * (0.8 - 0.2 * along * facing)

    rgb = relief.color * (colored(lamp, light.key) + colored(from_above, light.fill))
    rgb += colored(relief.gloss * _sharper(mirrored, 5), light.key)
    if relief.glow is not None:
        rgb += relief.glow
    glint = 0.5 * relief.gloss * _sharper(facing, 6)
    return rgb, relief.ir * facing * np.clip(open_sky, 0.5, 1) + glint


def _slope(height: Image, axis: int, step: float) -> Image:
    order = (1, 0) if axis == 0 else (0, 1)
    return np.asarray(cv2.Sobel(height, cv2.CV_32F, *order, scale=1 / (800 * step)), np.float32)


def _sharper(cosine: Image, doublings: int) -> Image:
    """The cosine to the power of 2**doublings."""
    for _ in range(doublings):
        cosine = cosine * cosine
    return cosine


def _shadow(height: Image, towards: Rgb, step: float) -> Image:
    """How much of the lamp is hidden, 0..1: whatever on the way to it stands higher than the ray."""
    right, down, near = towards
    hidden = np.zeros_like(height)
    for distance in (0.06, 0.12, 0.2, 0.3):
        there = moved(height, -right * distance / step, -down * distance / step)
        hidden = np.maximum(hidden, there - height - near * distance * 100)
    return blurred(np.clip(hidden / 6, 0, 1), 0.03 / step)
