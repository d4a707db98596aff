"""Brier score: mean squared error of scores as probabilities (Monthly Weather Review 78, 1950)."""

from __future__ import annotations

from math import nan

import numpy as np

from fas_core import NoOptions, ScoreTable


def brier(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """Return `brier`, the mean of (score - label)^2 over labelled samples with a score; NaN without any."""
    total = len(scores.live) + len(scores.attack)
    if not total:
        return {"brier": nan}
    return {"brier": float((np.square(1 - scores.live).sum() + np.square(scores.attack).sum()) / total)}
