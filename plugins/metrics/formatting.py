"""The names of metrics at a target rate."""

from __future__ import annotations


def format_rate(rate: float) -> str:
    """Format a rate: 0.01 -> `1e-2`, 0.0125 -> `1.25e-2`."""
    mantissa, _, exponent = f"{rate:e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"
