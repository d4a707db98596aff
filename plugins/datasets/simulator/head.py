"""A parametric head: one person as a surface with materials, seen from the front."""

from __future__ import annotations

import numpy as np
from attrs import define, frozen

from fas_plugins.datasets.simulator.face_regions import (
    FaceRegions,
    build_regions,
    face_dome,
    gaussian_bump,
    soft_step,
)
from fas_plugins.datasets.simulator.filters import Image, blur
from fas_plugins.datasets.simulator.identity import Identity, Rgb
from fas_plugins.datasets.simulator.noise import smooth_noise, white_noise
from fas_plugins.datasets.simulator.surface import SURFACE_EXTENT, Surface, pixel_grid


@frozen(eq=False)
class Head:
    """The head of one person: its surface, (size, size), and the masks of its regions."""

    surface: Surface
    regions: FaceRegions


def build_head(person: Identity, rng: np.random.Generator, size: int) -> Head:
    """Build the head of a person. `rng` draws the texture of skin and hair."""
    x, y = pixel_grid(size, SURFACE_EXTENT)
    regions = build_regions(person, x, y)
    materials = _paint_materials(person, regions, rng)
    cover = np.maximum.reduce([regions.oval, regions.ears, regions.neck, regions.shirt, regions.hair])
    surface = Surface(
        height=blur(_compute_height(person, regions, x, y), size / 110),
        color=np.clip(materials.color, 0.005, 0.95),
        ir=np.clip(materials.ir, 0.02, 0.95),
        gloss=materials.gloss,
        cover=blur(cover, 0.8),
    )
    return Head(surface, regions)


def _compute_height(person: Identity, regions: FaceRegions, x: Image, y: Image) -> Image:
    """Return the height map in mm towards the cameras; the ears are near 0."""
    side = np.abs(x)
    trunk = -30 + 40 * np.sqrt(np.clip(1 - (x / 0.55) ** 2, 0, 1))
    body = np.where(regions.shirt > 0.5, -20 - 30 * side, trunk)
    rest = np.where(regions.neck + regions.shirt > 0.5, body, 8 * regions.ears)
    face = person.depth * np.sqrt(np.clip(face_dome(person, x, y), 0, 1))
    sockets, jaw = _socket_height(person, regions, x, y), _jaw_height(person, regions, x, y)
    face += sockets + _nose_height(person, x, y) + jaw
    return np.where(regions.oval > 0.5, face, rest) + 10 * regions.hair


def _socket_height(person: Identity, regions: FaceRegions, x: Image, y: Image) -> Image:
    side, eye = np.abs(x), (person.eye_offset, person.eye_line)
    hollow = -9 * gaussian_bump(side, y, eye, (0.2, 0.13)) + 5 * regions.eyes
    return hollow + 5 * gaussian_bump(side, y, (eye[0], eye[1] - 0.2), (0.25, 0.08))


def _nose_height(person: Identity, x: Image, y: Image) -> Image:
    root, end = person.eye_line - 0.1, person.nose_end
    along: Image = np.clip((y - root) / (end - root), 0, 1)
    ridge = (0.25 + 0.75 * along) * np.exp(-((x / (0.05 + 0.5 * person.nose_width * along)) ** 2))
    ridge *= soft_step(end + 0.06 - y, 0.05) * (y > root - 0.2)
    wings = gaussian_bump(np.abs(x), y, (person.nose_width * 0.6, end), (0.06, 0.07))
    return np.asarray(person.nose_rise * (ridge + 0.35 * wings))


def _jaw_height(person: Identity, regions: FaceRegions, x: Image, y: Image) -> Image:
    side, mouth = np.abs(x), person.mouth_line
    cheeks = person.cheek * gaussian_bump(side, y, (0.4, 0.2), (0.18, 0.2))
    cheeks = cheeks - 5 * gaussian_bump(side, y, (0.45, 0.55), (0.15, 0.2))
    lips = 6 * gaussian_bump(x, y, (0, mouth), (0.3, 0.14)) + 3 * regions.lips
    chin = 7 * gaussian_bump(x, y, (0, mouth + 0.33), (0.18, 0.12))
    chin = chin - 4 * gaussian_bump(x, y, (0, mouth + 0.17), (0.2, 0.05))
    return cheeks + lips + chin


@define
class _Materials:
    """Reflectances and gloss of a surface, blended in place."""

    color: Image
    ir: Image
    gloss: Image

    def blend(self, mask: Image, color: Rgb, ir: float, gloss: float = 0.02) -> None:
        """Blend one material in where `mask` is 1."""
        self.color += mask[..., None] * (np.asarray(color, np.float32) - self.color)
        self.ir += mask * (ir - self.ir)
        self.gloss += mask * (gloss - self.gloss)


def _paint_materials(person: Identity, regions: FaceRegions, rng: np.random.Generator) -> _Materials:
    size = len(regions.oval)
    red, green, blue = person.skin
    lip = (red * 0.8 + 0.03, green * 0.55, blue * 0.7)
    shade = _draw_blemishes(rng, size)
    materials = _Materials(
        color=shade[..., None] * np.asarray(person.skin, np.float32),
        ir=person.skin_ir * (1 + 0.3 * (shade - 1)),
        gloss=np.full((size, size), 0.07, np.float32),
    )
    materials.blend(regions.lips * 0.85, lip, person.skin_ir * 0.9, gloss=0.12)
    materials.blend(regions.mouth, (0.06, 0.02, 0.02), 0.12)
    materials.blend(regions.nostrils, (0.05, 0.025, 0.02), 0.12)
    materials.blend(regions.eyes, (0.62, 0.58, 0.56), 0.5, gloss=0.25)
    materials.blend(regions.irises * regions.eyes, person.iris, 0.32, gloss=0.3)
    materials.blend(regions.pupils * regions.eyes, (0.01, 0.01, 0.01), 0.06, gloss=0.3)
    materials.blend(regions.lids * 0.8, (0.05, 0.03, 0.025), 0.2)
    materials.blend(regions.brows * person.brow, person.hair, 0.2)
    materials.blend(regions.beard * person.beard * (1 - regions.lips), person.hair, 0.22)
    materials.blend(regions.shirt * (1 - regions.oval), person.shirt, 0.45)
    materials.blend(regions.hair, person.hair, 0.18, gloss=0.05)
    strands = np.clip(1 + blur(white_noise(rng, size, size), 0.8), 0.4, 1.6)
    materials.color *= (1 + regions.hair * (strands - 1))[..., None]
    return materials


def _draw_blemishes(rng: np.random.Generator, size: int) -> Image:
    """Draw blotches and freckles: factors near 1 of the skin's reflectance."""
    blotches = 0.05 * smooth_noise(rng, size, 12) + 0.1 * blur(white_noise(rng, size, size), 1.0)
    freckles = 0.12 * np.clip(blur(white_noise(rng, size, size), 1.2) * 3 - 1.6, 0, 1)
    return np.asarray(np.clip(1 + blotches - freckles, 0.5, 1.4))
