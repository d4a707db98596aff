"""A simulated person: the numbers that shape and colour one head."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from fas_plugins.datasets.simulator.protocol import GROUPS

Rgb = tuple[float, float, float]

MELANIN = dict(zip(GROUPS, ((0.0, 0.3), (0.38, 0.66), (0.74, 1.0)), strict=True))
"""Range of the melanin of each skin-tone group, 0..1."""

# Skin reflectance at three amounts of melanin: R, G and B, and infrared.
_MELANIN_POINTS = (0.0, 0.5, 1.0)
_RGB_REFLECTANCE = ((0.70, 0.38, 0.13), (0.46, 0.23, 0.065), (0.36, 0.145, 0.040))
# Melanin absorbs little at 850 nm.
_IR_REFLECTANCE = (0.66, 0.61, 0.53)
_HAIR: tuple[Rgb, ...] = (
    (0.02, 0.015, 0.012),
    (0.06, 0.032, 0.018),
    (0.16, 0.09, 0.045),
    (0.42, 0.30, 0.15),
    (0.35, 0.34, 0.33),
)
_IRIS: tuple[Rgb, ...] = ((0.10, 0.05, 0.025), (0.05, 0.03, 0.015), (0.10, 0.13, 0.06), (0.10, 0.16, 0.24))


@frozen
class Identity:
    """Parameters of one person.

    Lengths are in units of 100 mm from the middle of the face (x right, y down), heights in mm towards the
    cameras; `melanin`, `brow` and `beard` are strengths of 0..1, colours linear RGB reflectances.
    """

    melanin: float
    width: float
    chin: float
    taper: float
    depth: float
    eye_offset: float
    eye_line: float
    eye_size: float
    iris: Rgb
    brow: float
    nose_end: float
    nose_width: float
    nose_rise: float
    mouth_line: float
    mouth_width: float
    lips: float
    cheek: float
    hair: Rgb
    hairline: float
    hair_length: float
    beard: float
    shirt: Rgb

    @property
    def skin(self) -> Rgb:
        """Linear RGB reflectance of the skin."""
        curves = _RGB_REFLECTANCE
        red, green, blue = (float(np.interp(self.melanin, _MELANIN_POINTS, curve)) for curve in curves)
        return red, green, blue

    @property
    def skin_ir(self) -> float:
        """Reflectance of the skin at 850 nm."""
        return float(np.interp(self.melanin, _MELANIN_POINTS, _IR_REFLECTANCE))


def sample_identity(rng: np.random.Generator, group: str) -> Identity:
    """Draw a random person of a skin-tone group."""
    uniform = rng.uniform
    colors = {"light": 5, "medium": 2, "dark": 1}[group]
    return Identity(
        melanin=uniform(*MELANIN[group]),
        width=uniform(0.68, 0.82),
        chin=uniform(0.98, 1.14),
        taper=uniform(0.18, 0.36),
        depth=uniform(70, 90),
        eye_offset=uniform(0.28, 0.35),
        eye_line=uniform(-0.2, -0.1),
        eye_size=uniform(0.12, 0.155),
        iris=_IRIS[rng.integers(min(colors, len(_IRIS)))],
        brow=uniform(0.3, 1.0),
        nose_end=uniform(0.22, 0.32),
        nose_width=uniform(0.13, 0.2),
        nose_rise=uniform(17, 27),
        mouth_line=uniform(0.5, 0.6),
        mouth_width=uniform(0.2, 0.29),
        lips=uniform(0.05, 0.095),
        cheek=uniform(2, 8),
        hair=_HAIR[rng.integers(colors)],
        hairline=uniform(-0.85, -0.55),
        hair_length=uniform(-0.7, 1.2),
        beard=max(0.0, uniform(-0.8, 0.7)),
        shirt=(uniform(0.03, 0.7), uniform(0.03, 0.7), uniform(0.03, 0.7)),
    )
