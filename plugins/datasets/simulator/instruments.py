"""Presentation attack instruments: photos of a person, and the paper, screens and masks that show them."""

from __future__ import annotations

import cv2
import numpy as np
from attrs import evolve, frozen

from fas_plugins.datasets.simulator.filters import Image, blur, sharpen, to_rgb
from fas_plugins.datasets.simulator.head import Head
from fas_plugins.datasets.simulator.noise import smooth_noise, white_noise
from fas_plugins.datasets.simulator.scene import compute_exposure_gain, render_view, sample_head_pose
from fas_plugins.datasets.simulator.surface import (
    PIVOT,
    SURFACE_EXTENT,
    Pose,
    Surface,
    pixel_grid,
    warp_surface,
)


@frozen(eq=False)
class Photo:
    """A photo of a person: linear RGB (H, W, 3) and infrared (H, W), 0..1."""

    rgb: Image
    ir: Image


def take_photo(head: Head, rng: np.random.Generator, *, frontal: bool = False) -> Photo:
    """Photograph the person in another scene, and sharpen as phones and photo printers do."""
    random_pose = sample_head_pose(rng)
    pose = Pose() if frontal else Pose(yaw=random_pose.yaw, pitch=random_pose.pitch)
    view = render_view(head.surface, pose, len(head.surface.ir), rng, extent=SURFACE_EXTENT)
    amount = rng.uniform(0, 0.6)
    rgb, ir = sharpen(view.rgb, amount), sharpen(view.ir, amount)
    return Photo(np.clip(rgb * compute_exposure_gain(rgb, 0.25), 0, 1), np.clip(ir, 0, 1))


def make_paper(photo: Photo, rng: np.random.Generator) -> Surface:
    """Make a flat sheet with the photo printed on it."""
    size = len(photo.ir)
    grey = photo.rgb @ np.full(3, 1 / 3, np.float32)
    faded = to_rgb(grey) + rng.uniform(0.65, 0.95) * (photo.rgb - to_rgb(grey))
    black, white = rng.uniform(0.03, 0.06), rng.uniform(0.65, 0.85)
    bands = np.sin(np.arange(size, dtype=np.float32) * rng.uniform(1.6, 2.6))[:, None]
    grain = rng.uniform(0.05, 0.1) * blur(white_noise(rng, size, size), 0.6)
    grain = grain + rng.uniform(0.01, 0.04) * bands
    # Toner as dark in infrared as in colour, on paper as bright as skin: the attacker's print comes close to
    # the person's own look in infrared.
    infrared = photo.ir * (1 + rng.uniform(0, 0.5) * (grey - 0.25))
    return Surface(
        height=np.full_like(photo.ir, PIVOT),
        color=(black + (white - black) * faded) * to_rgb(1 + grain),
        ir=rng.uniform(0.93, 1.03) * infrared,
        gloss=np.full_like(photo.ir, rng.uniform(0.02, 0.12)),
        cover=np.ones_like(photo.ir),
    )


def make_sheet_outline(head: Head, rng: np.random.Generator, *, cut_probability: float) -> Image:
    """Draw the shape of a sheet as (H, W) of 0 and 1: cut along the head or, otherwise, a rectangle."""
    x, y = pixel_grid(len(head.surface.ir), SURFACE_EXTENT)
    if rng.random() < cut_probability:
        inside = blur(np.maximum(head.regions.oval, head.regions.hair), rng.uniform(1, 3)) > 0.3
    else:
        inside = (np.abs(x) < rng.uniform(1.1, 1.6)) & (np.abs(y) < rng.uniform(1.2, 1.6))
    return inside.astype(np.float32)


def bend_sheet(sheet: Surface, radius: float) -> Surface:
    """Bend the sheet around an upright cylinder of that radius, in units."""
    x, y = pixel_grid(len(sheet.ir), SURFACE_EXTENT)
    arc = radius * np.arcsin(np.clip(x / radius, -0.97, 0.97))
    behind = radius - np.sqrt(np.maximum(radius**2 - x**2, 0.05 * radius**2))
    bent = warp_surface(sheet, arc, y, PIVOT - 100 * behind)
    return evolve(bent, cover=bent.cover * (np.abs(x) < 0.97 * radius))


def make_screen(photo: Photo, rng: np.random.Generator) -> Surface:
    """Make a tablet that displays the photo. Two in three are good: no moire, no glare, no visible edge."""
    size = len(photo.ir)
    x, y = pixel_grid(size, SURFACE_EXTENT)
    cheapness = max(0.0, rng.uniform(-2, 1))
    tint = (1 - 0.08 * cheapness, 1, 1 + 0.15 * cheapness)
    half_width, half_height = 1.6 - cheapness * rng.uniform(0, 0.4, 2)
    outside = np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)
    glow = photo.rgb * to_rgb((outside < 0).astype(np.float32), tint)
    return Surface(
        height=np.full_like(x, PIVOT),
        color=np.full((size, size, 3), 0.01, np.float32),
        # A display emits no infrared, and its black glass reflects little.
        ir=np.full_like(x, rng.uniform(0.04, 0.1)),
        gloss=np.full_like(x, 0.01 + 0.2 * cheapness),
        cover=(outside < 0.12).astype(np.float32),
        glow=glow * (1 + 0.25 * cheapness * _draw_moire(x, y, rng)) + 0.06 * cheapness,
    )


def make_mask_shell(head: Head, rng: np.random.Generator) -> Surface:
    """Make a 3D mask of the person: relief and colours are right, the material is not skin."""
    surface, size = head.surface, len(head.surface.ir)
    # Mask paint has no contrast in infrared; most materials are darker there than skin, some brighter.
    ir_level = rng.uniform(0.2, 0.42) if rng.random() < 0.7 else rng.uniform(0.8, 0.92)
    return Surface(
        height=blur(surface.height, size / 160) + 1.5,
        color=blur(surface.color, size / 110) * to_rgb(np.ones_like(surface.ir), rng.uniform(0.92, 1.08, 3)),
        ir=ir_level * (1 + 0.05 * smooth_noise(rng, size, 8)),
        gloss=np.full_like(surface.ir, rng.uniform(0.06, 0.25)),
        cover=np.ones_like(surface.ir),
    )


def _draw_moire(x: Image, y: Image, rng: np.random.Generator) -> Image:
    """Draw the interference of screen and camera pixels: slow, wavy, coloured stripes, (H, W, 3)."""
    angle, pitch = rng.uniform(0, np.pi), rng.uniform(25, 70)
    phase = pitch * (x * np.cos(angle) + y * np.sin(angle)) + 6 * smooth_noise(rng, len(x), 4)
    stripes = [np.sin(phase + shift) for shift in rng.uniform(0, 2, 3).tolist()]
    return np.asarray(cv2.merge(stripes), np.float32)
