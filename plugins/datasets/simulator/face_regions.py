"""Soft masks of the regions of one person's head, seen from the front."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from fas_plugins.datasets.simulator.filters import Image
from fas_plugins.datasets.simulator.identity import Identity

Point = tuple[float, float]


@frozen(eq=False)
class FaceRegions:
    """Masks (H, W), 0..1, of the regions that their names say.

    `mask_area` is what a 3D mask covers; `eye_holes`, `nose_hole` and `mouth_hole` are the holes of a cut
    print.
    """

    oval: Image
    mask_area: Image
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


def build_regions(person: Identity, x: Image, y: Image) -> FaceRegions:
    """Build the masks at points x (right) and y (down) of the middle of the face, in units of 100 mm."""
    side = np.abs(x)  # heads are symmetrical
    oval = soft_step(face_dome(person, x, y), 0.05)
    eye = (person.eye_offset, person.eye_line)
    size = person.eye_size
    upper_lid = eye[1] - 0.4 * size + 3 * (side - eye[0]) ** 2
    brow_arch = eye[1] - 0.17 - 0.05 * np.cos(np.clip((side - eye[0]) * 8, -2, 2))
    mouth, lips = (0.0, person.mouth_line), (person.mouth_width, person.lips)
    nose = (0.0, 0.5 * (person.nose_end + person.eye_line) + 0.06)
    return FaceRegions(
        oval=oval,
        mask_area=_mask_area(person, x, y),
        ears=ellipse_mask(side, y, (person.width, 0.02), (0.09, 0.22)),
        neck=soft_step(0.46 - side, 0.03) * soft_step(y - 0.4, 0.05),
        shirt=soft_step(y - 1.15 - 0.2 * side + 0.12 * np.exp(-((x / 0.3) ** 2)), 0.03),
        hair=_hair_mask(person, x, y),
        eyes=_almond_mask(side, y, eye, size),
        irises=ellipse_mask(side, y, eye, (0.42 * size, 0.42 * size)),
        pupils=ellipse_mask(side, y, eye, (0.18 * size, 0.18 * size)),
        lids=_stroke_mask(y - upper_lid, 0.02, 0.015) * _stroke_mask(side - eye[0], size, 0.02),
        brows=_stroke_mask(y - brow_arch, 0.03, 0.02) * _stroke_mask(side - eye[0] - 0.02, 0.19, 0.05),
        lips=_lip_mask(side, y, mouth, lips),
        mouth=_stroke_mask(y - mouth[1], 0.008, 0.012) * _stroke_mask(x, lips[0] * 0.95, 0.03),
        nostrils=ellipse_mask(side, y, (person.nose_width * 0.5, person.nose_end + 0.06), (0.045, 0.025)),
        beard=gaussian_bump(x, y, (0, person.mouth_line + 0.2), (0.6, 0.35)) * oval,
        eye_holes=ellipse_mask(side, y, eye, (size * 1.35, size * 0.85)),
        nose_hole=ellipse_mask(side, y, nose, (person.nose_width * 1.35, 0.3)),
        mouth_hole=ellipse_mask(side, y, mouth, (lips[0] * 1.2, lips[1] * 1.7)),
    )


def soft_step(values: Image, width: float) -> Image:
    """Smoothstep: 0 where values are below -width, 1 above width, smooth in between."""
    t: Image = np.clip(values / (2 * width) + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def gaussian_bump(x: Image, y: Image, center: Point, radii: Point) -> Image:
    """Gaussian of height 1."""
    return np.asarray(np.exp(-(((x - center[0]) / radii[0]) ** 2) - ((y - center[1]) / radii[1]) ** 2))


def ellipse_mask(x: Image, y: Image, center: Point, radii: Point) -> Image:
    """Mask of an ellipse, with a border about one pixel soft."""
    inside = 1 - np.sqrt(((x - center[0]) / radii[0]) ** 2 + ((y - center[1]) / radii[1]) ** 2)
    return soft_step(inside * min(radii), 0.012)


def face_dome(person: Identity, x: Image, y: Image) -> Image:
    """Height profile of the face: 1 in the middle, 0 on the outline, negative outside."""
    half_height = np.where(y < 0, 1.12, person.chin)
    return np.asarray(1 - np.abs(x / _half_width(person, y)) ** 2.3 - np.abs(y / half_height) ** 2.3)


def _half_width(person: Identity, y: Image) -> Image:
    below: Image = np.clip(y / person.chin, 0, 1.2)
    return person.width * (1 - person.taper * below**2)


def _mask_area(person: Identity, x: Image, y: Image) -> Image:
    half_height = np.where(y < 0, 0.8, person.chin)
    return soft_step(1 - (x / (0.93 * _half_width(person, y))) ** 2 - (y / half_height) ** 2, 0.06)


def _hair_mask(person: Identity, x: Image, y: Image) -> Image:
    side = np.abs(x)
    skull = 1 - (x / (person.width * 1.1)) ** 2 - (y / 1.2) ** 2
    # Long hair falls straight down beside the neck.
    fall = np.where(y > 0, 1 - (x / (person.width * 1.13)) ** 2, skull)
    fringe = soft_step(skull, 0.05) * soft_step(person.hairline + 0.25 * side**2 - y, 0.05)
    beside_face, above_tips = side - 0.88 * person.width, person.hair_length - y
    locks = soft_step(fall, 0.05) * soft_step(beside_face, 0.05) * soft_step(above_tips, 0.1)
    return np.maximum(fringe, locks)


def _almond_mask(side: Image, y: Image, center: Point, size: float) -> Image:
    """Intersection of two ellipses, as an eye is."""
    radii = (size * 1.12, size * 0.8)
    upper = ellipse_mask(side, y, (center[0], center[1] - 0.4 * size), radii)
    return upper * ellipse_mask(side, y, (center[0], center[1] + 0.4 * size), radii)


def _lip_mask(side: Image, y: Image, center: Point, radii: Point) -> Image:
    bow = 0.3 * radii[1] * np.cos(np.clip(side / radii[0] * 6, 0, np.pi))
    return ellipse_mask(side, y + bow * (y < center[1]), center, radii)


def _stroke_mask(distance: Image, half_width: float, softness: float) -> Image:
    """1 within `half_width` of the middle line of a stroke."""
    return soft_step(half_width - np.abs(distance), softness)
