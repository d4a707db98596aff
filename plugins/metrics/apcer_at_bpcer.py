"""APCER at a given BPCER: the error rate on attacks at a given convenience.

The threshold is the highest that rejects no larger share of live samples; nothing is interpolated.
"""

from __future__ import annotations

from fas_core.scores.table import ScoreTable
from fas_plugins.metrics.formatting import format_rate
from fas_plugins.metrics.options import ApcerAtBpcerOptions


def apcer_at_bpcer(
    options: ApcerAtBpcerOptions, scores: ScoreTable, threshold: float | None
) -> dict[str, float]:
    """Return `apcer_max@bpcer=1e-2`, `apcer@bpcer=1e-2` and so on; NaN without both classes."""
    values: dict[str, float] = {}
    for bpcer in options.bpcers:
        pooled, worst = scores.rates.apcer_at_bpcer(bpcer)
        values |= {
            f"apcer_max@bpcer={format_rate(bpcer)}": worst,
            f"apcer@bpcer={format_rate(bpcer)}": pooled,
        }
    return values
