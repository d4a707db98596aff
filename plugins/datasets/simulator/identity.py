"""Who a simulated person is: numbers that shape and colour one head."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from fas_plugins.datasets.simulator.protocol import GROUPS

Rgb = tuple[float, float, float]

MELANIN = dict(zip(GROUPS, ((0.0, 0.3), (0.38, 0.66), (0.74, 1.0)), strict=True))
"""How much of it the skin of each group has, 0..1."""

_AMOUNT = (0.0, 0.5, 1.0)
_TONES = ((0.70, 0.38, 0.13), (0.46, 0.23, 0.065), (0.36, 0.145, 0.040))
# At 850 nm melanin hardly absorbs.
_INFRARED = (0.66, 0.61, 0.53)
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
    """One person; lengths in units of 100 mm (y down from the middle of the face), heights in mm."""

    melanin: float
    width: float
    chin: float
    taper: float
    depth: float
    eye_apart: float
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
        red, green, blue = (float(np.interp(self.melanin, _AMOUNT, curve)) for curve in _TONES)
        return red, green, blue

    @property
    def skin_ir(self) -> float:
        """Reflectance of the skin at 850 nm."""
        return float(np.interp(self.melanin, _AMOUNT, _INFRARED))


def identity(rng: np.random.Generator, group: str) -> Identity:
    """A person of a group."""
    u = rng.uniform
    kinds = {"light": 5, "medium": 2, "dark": 1}[group]
    return Identity(
        melanin=u(*MELANIN[group]),
        width=u(0.68, 0.82),
        chin=u(0.98, 1.14),
        taper=u(0.18, 0.36),
        depth=u(70, 90),
        eye_apart=u(0.28, 0.35),
        eye_line=u(-0.2, -0.1),
        eye_size=u(0.12, 0.155),
        iris=_IRIS[rng.integers(min(kinds, len(_IRIS)))],
        brow=u(0.3, 1.0),
        nose_end=u(0.22, 0.32),
        nose_width=u(0.13, 0.2),
        nose_rise=u(17, 27),
        mouth_line=u(0.5, 0.6),
        mouth_width=u(0.2, 0.29),
        lips=u(0.05, 0.095),
        cheek=u(2, 8),
        hair=_HAIR[rng.integers(kinds)],
        hairline=u(-0.85, -0.55),
        hair_length=u(-0.7, 1.2),
        beard=max(0.0, u(-0.8, 0.7)),
        shirt=(u(0.03, 0.7), u(0.03, 0.7), u(0.03, 0.7)),
    )
