"""How figures that belong to a target are called."""

from __future__ import annotations


def short(rate: float) -> str:
    """0.01 -> `1e-2`, 0.0125 -> `1.25e-2`."""
    mantissa, _, exponent = f"{rate:e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"
