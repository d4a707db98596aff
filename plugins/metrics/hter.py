"""Half total error rate: (FAR + FRR) / 2, the older name of ACER with PAI species pooled."""

from __future__ import annotations

from math import nan

from fas_core import NoOptions
from fas_core.scores.table import ScoreTable


def hter(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """Return `hter`; NaN without both classes or a threshold."""
    if threshold is None:
        return {"hter": nan}
    return {"hter": float(scores.rates.apcer(threshold) + scores.rates.bpcer(threshold)) / 2}
