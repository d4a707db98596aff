"""Shading of a surface: Lambert's law, a highlight, darker hollows, cast shadows, and an infrared lamp."""

from __future__ import annotations

from math import hypot

import cv2
import numpy as np
from attrs import frozen

from fas_plugins.datasets.simulator.filters import Image, blur, to_rgb, translate
from fas_plugins.datasets.simulator.identity import Rgb
from fas_plugins.datasets.simulator.surface import Surface

Vector = tuple[float, float, float]


@frozen
class Light:
    """The visible light of a scene. The infrared camera has its own lamp, of strength 1.

    Args:
        direction: unit vector to the lamp: right, down, towards the cameras.
        key: (R, G, B) strength of the lamp.
        fill: (R, G, B) strength of the ambient light.
    """

    direction: Vector
    key: Rgb
    fill: Rgb


def shade(surface: Surface, light: Light, extent: float) -> tuple[Image, Image]:
    """Return the light that reaches the cameras: linear RGB (H, W, 3) and infrared (H, W).

    Args:
        surface: as seen from the front.
        light: the lamp and the ambient light.
        extent: half the width of the view, in units.
    """
    step = 2 * extent / len(surface.height)
    slope_x, slope_y = (_compute_slope(surface.height, axis, step) for axis in (0, 1))
    facing = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)  # cosine to the viewing direction
    right, down, near = light.direction
    to_lamp = near - slope_x * right - slope_y * down
    shadow = _compute_shadow(surface.height, light.direction, step)
    lamp = np.maximum(to_lamp * facing, 0) * (1 - 0.75 * shadow)
    # Blinn-Phong: cosine to the half vector between the viewing direction and the lamp.
    half_vector = np.maximum((to_lamp + 1) * facing / hypot(right, down, near + 1), 0)
    hollow = (blur(surface.height, 0.1 / step) - surface.height) / 40
    open_sky = np.clip(1 - hollow, 0.35, 1.1)
    ambient = open_sky * (0.8 - 0.2 * slope_y * facing)

    rgb = surface.color * (to_rgb(lamp, light.key) + to_rgb(ambient, light.fill))
    rgb += to_rgb(surface.gloss * _square_repeatedly(half_vector, 5), light.key)
    if surface.glow is not None:
        rgb += surface.glow
    glint = 0.5 * surface.gloss * _square_repeatedly(facing, 6)
    return rgb, surface.ir * facing * np.clip(open_sky, 0.5, 1) + glint


def _compute_slope(height: Image, axis: int, step: float) -> Image:
    order = (1, 0) if axis == 0 else (0, 1)
    return np.asarray(cv2.Sobel(height, cv2.CV_32F, *order, scale=1 / (800 * step)), np.float32)


def _square_repeatedly(cosine: Image, times: int) -> Image:
    """Return the cosine to the power of 2**times."""
    for _ in range(times):
        cosine = cosine * cosine
    return cosine


def _compute_shadow(height: Image, direction: Vector, step: float) -> Image:
    """Return how much of the lamp is hidden, 0..1, by surface that is higher than the ray to the lamp."""
    right, down, near = direction
    hidden = np.zeros_like(height)
    for distance in (0.06, 0.12, 0.2, 0.3):
        occluder = translate(height, -right * distance / step, -down * distance / step)
        hidden = np.maximum(hidden, occluder - height - near * distance * 100)
    return blur(np.clip(hidden / 6, 0, 1), 0.03 / step)
