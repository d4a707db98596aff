"""TPR@FPR: how many live samples are accepted while few attacks are.

The largest TPR on the ROC's own points with FPR <= f, never interpolated, so that a figure is one
that a threshold really reaches. "TPR@FPR=10E-2" of the published tables is 1e-2.
"""

from __future__ import annotations

from fas_core.scores.table import ScoreTable
from fas_plugins.metrics.names import short
from fas_plugins.metrics.options import TprAtFprOptions


def tpr_at_fpr(options: TprAtFprOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """`tpr@fpr=1e-2` and so on, whatever the threshold; NaN without both classes."""
    return {f"tpr@fpr={short(fpr)}": scores.rates.tpr_at_fpr(fpr) for fpr in options.fprs}
