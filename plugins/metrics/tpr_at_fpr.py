"""TPR@FPR: the fraction of live samples accepted at a low rate of accepted attacks.

The largest TPR on the ROC's own points with FPR <= f, never interpolated, so that a threshold reaches it.
"TPR@FPR=10E-2" of the published tables is 1e-2.
"""

from __future__ import annotations

from fas_core.scores.table import ScoreTable
from fas_plugins.metrics.formatting import format_rate
from fas_plugins.metrics.options import TprAtFprOptions


def tpr_at_fpr(options: TprAtFprOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """Return `tpr@fpr=1e-2` and so on, whatever the threshold; NaN without both classes."""
    return {f"tpr@fpr={format_rate(fpr)}": scores.rates.tpr_at_fpr(fpr) for fpr in options.fprs}
