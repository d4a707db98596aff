"""Accuracy: the fraction of samples classified correctly."""

from __future__ import annotations

from math import nan

from fas_core import NoOptions
from fas_core.scores.table import ScoreTable


def acc(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """Return `acc`; NaN without a threshold or labelled scores. One class is enough."""
    return {"acc": nan if threshold is None else scores.rates.accuracy(threshold)}
