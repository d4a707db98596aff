"""TPR@FPR: how many live samples are accepted while few attacks are.

The largest TPR on the ROC's own points with FPR <= f, never interpolated, so that a figure is one
that a threshold really reaches. "TPR@FPR=10E-2" of the published tables is 1e-2.
"""

from __future__ import annotations

from fas_core.scores import ScoreTable
from fas_plugins.metrics.options import TprAtFprOptions


def tpr_at_fpr(options: TprAtFprOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """`tpr@fpr=1e-2` and so on, whatever the threshold; NaN without both classes."""
    return {f"tpr@fpr={short(fpr)}": scores.rates.tpr_at_fpr(fpr) for fpr in options.fprs}


def short(rate: float) -> str:
    """0.01 -> `1e-2`, 0.0125 -> `1.25e-2`."""
    mantissa, _, exponent = f"{rate:e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"
