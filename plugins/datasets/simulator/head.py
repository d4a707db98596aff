"""A parametric head: one person as a relief seen from the front."""

from __future__ import annotations

import numpy as np
from attrs import define, frozen

from fas_plugins.datasets.simulator.identity import Identity, Rgb
from fas_plugins.datasets.simulator.noise import Image, blurred, smooth, white
from fas_plugins.datasets.simulator.parts import Parts, bump, dome, parts_of, soft
from fas_plugins.datasets.simulator.relief import REACH, Relief, grid


@frozen(eq=False)
class Face:
    """One person's head and where its parts are."""

    relief: Relief
    parts: Parts


def head(person: Identity, rng: np.random.Generator, size: int) -> Face:
    """The head of a person, (size, size); `rng` gives skin and hair their texture."""
    x, y = grid(size, REACH)
    parts = parts_of(person, x, y)
    paint = _painted(person, parts, rng)
    cover = np.maximum.reduce([parts.oval, parts.ears, parts.neck, parts.shirt, parts.hair])
    relief = Relief(
        height=blurred(_height(person, parts, x, y), size / 110),
        color=np.clip(paint.color, 0.005, 0.95),
        ir=np.clip(paint.ir, 0.02, 0.95),
        gloss=paint.gloss,
        cover=blurred(cover, 0.8),
    )
    return Face(relief, parts)


def _height(person: Identity, parts: Parts, x: Image, y: Image) -> Image:
    """mm towards the cameras; about 0 where the ears are."""
    side = np.abs(x)
    trunk = -30 + 40 * np.sqrt(np.clip(1 - (x / 0.55) ** 2, 0, 1))
    body = np.where(parts.shirt > 0.5, -20 - 30 * side, trunk)
    rest = np.where(parts.neck + parts.shirt > 0.5, body, 8 * parts.ears)
    face = person.depth * np.sqrt(np.clip(dome(person, x, y), 0, 1))
    face += _sockets(person, parts, x, y) + _nose(person, x, y) + _jaw(person, parts, x, y)
    return np.where(parts.oval > 0.5, face, rest) + 10 * parts.hair


def _sockets(person: Identity, parts: Parts, x: Image, y: Image) -> Image:
    side, eye = np.abs(x), (person.eye_apart, person.eye_line)
    hollow = -9 * bump(side, y, eye, (0.2, 0.13)) + 5 * parts.eyes
    return hollow + 5 * bump(side, y, (eye[0], eye[1] - 0.2), (0.25, 0.08))


def _nose(person: Identity, x: Image, y: Image) -> Image:
    root, end = person.eye_line - 0.1, person.nose_end
    along: Image = np.clip((y - root) / (end - root), 0, 1)
    ridge = (0.25 + 0.75 * along) * np.exp(-((x / (0.05 + 0.5 * person.nose_width * along)) ** 2))
    ridge *= soft(end + 0.06 - y, 0.05) * (y > root - 0.2)
    wings = bump(np.abs(x), y, (person.nose_width * 0.6, end), (0.06, 0.07))
    return np.asarray(person.nose_rise * (ridge + 0.35 * wings))


def _jaw(person: Identity, parts: Parts, x: Image, y: Image) -> Image:
    side, mouth = np.abs(x), person.mouth_line
    cheeks = person.cheek * bump(side, y, (0.4, 0.2), (0.18, 0.2)) - 5 * bump(
        side, y, (0.45, 0.55), (0.15, 0.2)
    )
    lips = 6 * bump(x, y, (0, mouth), (0.3, 0.14)) + 3 * parts.lips
    chin = 7 * bump(x, y, (0, mouth + 0.33), (0.18, 0.12)) - 4 * bump(x, y, (0, mouth + 0.17), (0.2, 0.05))
    return cheeks + lips + chin


@define
class _Paint:
    color: Image
    ir: Image
    gloss: Image

    def put(self, mask: Image, color: Rgb, ir: float, gloss: float = 0.02) -> None:
        self.color += mask[..., None] * (np.asarray(color, np.float32) - self.color)
        self.ir += mask * (ir - self.ir)
        self.gloss += mask * (gloss - self.gloss)


def _painted(person: Identity, parts: Parts, rng: np.random.Generator) -> _Paint:
    size = len(parts.oval)
    red, green, blue = person.skin
    lip = (red * 0.8 + 0.03, green * 0.55, blue * 0.7)
    shade = _blemishes(rng, size)
    paint = _Paint(
        color=shade[..., None] * np.asarray(person.skin, np.float32),
        ir=person.skin_ir * (1 + 0.3 * (shade - 1)),
        gloss=np.full((size, size), 0.07, np.float32),
    )
    paint.put(parts.lips * 0.85, lip, person.skin_ir * 0.9, gloss=0.12)
    paint.put(parts.mouth, (0.06, 0.02, 0.02), 0.12)
    paint.put(parts.nostrils, (0.05, 0.025, 0.02), 0.12)
    paint.put(parts.eyes, (0.62, 0.58, 0.56), 0.5, gloss=0.25)
    paint.put(parts.irises * parts.eyes, person.iris, 0.32, gloss=0.3)
    paint.put(parts.pupils * parts.eyes, (0.01, 0.01, 0.01), 0.06, gloss=0.3)
    paint.put(parts.lids * 0.8, (0.05, 0.03, 0.025), 0.2)
    paint.put(parts.brows * person.brow, person.hair, 0.2)
    paint.put(parts.beard * person.beard * (1 - parts.lips), person.hair, 0.22)
    paint.put(parts.shirt * (1 - parts.oval), person.shirt, 0.45)
    paint.put(parts.hair, person.hair, 0.18, gloss=0.05)
    strands = np.clip(1 + blurred(white(rng, size, size), 0.8), 0.4, 1.6)
    paint.color *= (1 + parts.hair * (strands - 1))[..., None]
    return paint


def _blemishes(rng: np.random.Generator, size: int) -> Image:
    """What the skin's reflectance is multiplied with, about 1."""
    blotches = 0.05 * smooth(rng, size, 12) + 0.1 * blurred(white(rng, size, size), 1.0)
    freckles = 0.12 * np.clip(blurred(white(rng, size, size), 1.2) * 3 - 1.6, 0, 1)
    return np.asarray(np.clip(1 + blotches - freckles, 0.5, 1.4))
