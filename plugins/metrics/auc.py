"""Area under the ROC curve, from ranks (Mann-Whitney's U), ties counting half."""

from __future__ import annotations

from fas_core import NoOptions
from fas_core.scores.table import ScoreTable


def auc(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """Return `auc`, whatever the threshold; NaN without both classes."""
    return {"auc": scores.rates.auc()}
