"""Where the parts of one person's head are, seen from the front."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from fas_plugins.datasets.simulator.identity import Identity
from fas_plugins.datasets.simulator.noise import Image

Point = tuple[float, float]


@frozen(eq=False)
class Parts:
    """Masks (H, W), 0..1.

    `front` is the face as a mask covers it; `eye_holes`, `nose_hole` and `mouth_hole` are what is
    cut out of a print; the others are what their names say.
    """

    oval: Image
    front: Image
    ears: Image
    neck: Image
    shirt: Image
    hair: Image
    eyes: Image
    irises: Image
    pupils: Image
    lids: Image
    brows: Image
    lips: Image
    mouth: Image
    nostrils: Image
    beard: Image
    eye_holes: Image
    nose_hole: Image
    mouth_hole: Image


def parts_of(person: Identity, x: Image, y: Image) -> Parts:
    """The parts at points x to the right and y down of the middle of the face, in units of 100 mm."""
    side = np.abs(x)  # heads are symmetrical
    oval = soft(dome(person, x, y), 0.05)
    eye = (person.eye_apart, person.eye_line)
    size = person.eye_size
    upper_lid = eye[1] - 0.4 * size + 3 * (side - eye[0]) ** 2
    arch = eye[1] - 0.17 - 0.05 * np.cos(np.clip((side - eye[0]) * 8, -2, 2))
    mouth, lips = (0.0, person.mouth_line), (person.mouth_width, person.lips)
    nose = (0.0, 0.5 * (person.nose_end + person.eye_line) + 0.06)
    return Parts(
        oval=oval,
        front=_front(person, x, y),
        ears=ellipse(side, y, (person.width, 0.02), (0.09, 0.22)),
        neck=soft(0.46 - side, 0.03) * soft(y - 0.4, 0.05),
        shirt=soft(y - 1.15 - 0.2 * side + 0.12 * np.exp(-((x / 0.3) ** 2)), 0.03),
        hair=_hair(person, x, y),
        eyes=_almond(side, y, eye, size),
        irises=ellipse(side, y, eye, (0.42 * size, 0.42 * size)),
        pupils=ellipse(side, y, eye, (0.18 * size, 0.18 * size)),
        lids=_stroke(y - upper_lid, 0.02, 0.015) * _stroke(side - eye[0], size, 0.02),
        brows=_stroke(y - arch, 0.03, 0.02) * _stroke(side - eye[0] - 0.02, 0.19, 0.05),
        lips=_lips(side, y, mouth, lips),
        mouth=_stroke(y - mouth[1], 0.008, 0.012) * _stroke(x, lips[0] * 0.95, 0.03),
        nostrils=ellipse(side, y, (person.nose_width * 0.5, person.nose_end + 0.06), (0.045, 0.025)),
        beard=bump(x, y, (0, person.mouth_line + 0.2), (0.6, 0.35)) * oval,
        eye_holes=ellipse(side, y, eye, (size * 1.35, size * 0.85)),
        nose_hole=ellipse(side, y, nose, (person.nose_width * 1.35, 0.3)),
        mouth_hole=ellipse(side, y, mouth, (lips[0] * 1.2, lips[1] * 1.7)),
    )


def soft(inside: Image, width: float) -> Image:
    """0 where `inside` is below -width, 1 above width, smooth between."""
    t: Image = np.clip(inside / (2 * width) + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def bump(x: Image, y: Image, at: Point, radii: Point) -> Image:
    """A Gaussian hill of height 1."""
    return np.asarray(np.exp(-(((x - at[0]) / radii[0]) ** 2) - ((y - at[1]) / radii[1]) ** 2))


def ellipse(x: Image, y: Image, at: Point, radii: Point) -> Image:
    """1 inside of an ellipse, with a border about as soft as a pixel."""
    inside = 1 - np.sqrt(((x - at[0]) / radii[0]) ** 2 + ((y - at[1]) / radii[1]) ** 2)
    return soft(inside * min(radii), 0.012)


def dome(person: Identity, x: Image, y: Image) -> Image:
    """1 in the middle of the face, 0 on its outline, negative outside."""
    tall = np.where(y < 0, 1.12, person.chin)
    return np.asarray(1 - np.abs(x / _half_width(person, y)) ** 2.3 - np.abs(y / tall) ** 2.3)


def _half_width(person: Identity, y: Image) -> Image:
    below: Image = np.clip(y / person.chin, 0, 1.2)
    return person.width * (1 - person.taper * below**2)


def _front(person: Identity, x: Image, y: Image) -> Image:
    tall = np.where(y < 0, 0.8, person.chin)
    return soft(1 - (x / (0.93 * _half_width(person, y))) ** 2 - (y / tall) ** 2, 0.06)


def _hair(person: Identity, x: Image, y: Image) -> Image:
    side = np.abs(x)
    skull = 1 - (x / (person.width * 1.1)) ** 2 - (y / 1.2) ** 2
    # Long hair falls straight down beside the neck.
    fall = np.where(y > 0, 1 - (x / (person.width * 1.13)) ** 2, skull)
    fringe = soft(skull, 0.05) * soft(person.hairline + 0.25 * side**2 - y, 0.05)
    locks = soft(fall, 0.05) * soft(side - 0.88 * person.width, 0.05) * soft(person.hair_length - y, 0.1)
    return np.maximum(fringe, locks)


def _almond(side: Image, y: Image, at: Point, size: float) -> Image:
    """Where two arcs overlap."""
    radii = (size * 1.12, size * 0.8)
    above = ellipse(side, y, (at[0], at[1] - 0.4 * size), radii)
    return above * ellipse(side, y, (at[0], at[1] + 0.4 * size), radii)


def _lips(side: Image, y: Image, at: Point, radii: Point) -> Image:
    bow = 0.3 * radii[1] * np.cos(np.clip(side / radii[0] * 6, 0, np.pi))
    return ellipse(side, y + bow * (y < at[1]), at, radii)


def _stroke(across: Image, half: float, width: float) -> Image:
    """1 where it is nearer than `half` to the middle of a stroke."""
    return soft(half - np.abs(across), width)
