"""Accuracy: the fraction of samples judged as what they are."""

from __future__ import annotations

from math import nan

from fas_core import NoOptions
from fas_core.scores.table import ScoreTable


def acc(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """`acc`; NaN without a threshold or labelled scores. Defined for one class too."""
    return {"acc": nan if threshold is None else scores.rates.accuracy(threshold)}
