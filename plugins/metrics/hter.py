"""Half total error rate: (FAR + FRR) / 2, which is ACER with species pooled, under its older name."""

from __future__ import annotations

from math import nan

from fas_core import NoOptions
from fas_core.scores.table import ScoreTable


def hter(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """`hter`; NaN without both classes or a threshold."""
    if threshold is None:
        return {"hter": nan}
    return {"hter": float(scores.rates.apcer(threshold) + scores.rates.bpcer(threshold)) / 2}
