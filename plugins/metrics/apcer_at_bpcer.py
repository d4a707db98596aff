"""APCER at a given BPCER: how many attacks a given convenience lets pass.

At the highest threshold that refuses no more live samples than that, never interpolated.
"""

from __future__ import annotations

from fas_core.scores.table import ScoreTable
from fas_plugins.metrics.names import short
from fas_plugins.metrics.options import ApcerAtBpcerOptions


def apcer_at_bpcer(
    options: ApcerAtBpcerOptions, scores: ScoreTable, threshold: float | None
) -> dict[str, float]:
    """`apcer@bpcer=1e-2`, `apcer_max@bpcer=1e-2`, ..., whatever the threshold; NaN without both classes."""
    found: dict[str, float] = {}
    for bpcer in options.bpcers:
        pooled, worst = scores.rates.apcer_at_bpcer(bpcer)
        found |= {f"apcer@bpcer={short(bpcer)}": pooled, f"apcer_max@bpcer={short(bpcer)}": worst}
    return found
