"""Sensitivity index: how far the two classes' scores lie apart. No fraction, and no threshold.

    d' = (mean(live) - mean(attack)) / sqrt((var(live) + var(attack)) / 2)

with the variance over the samples as they are (divided by their number).
"""

from __future__ import annotations

from math import nan

import numpy as np

from fas_core import NoOptions
from fas_core.ranked import Ranked
from fas_core.scores import ScoreTable


def d_prime(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """`d_prime`; NaN without both classes, with infinite scores, or where nothing varies."""
    live, attack = scores.rates.live, scores.rates.attack
    if not scores.rates.both or not (_finite(live) and _finite(attack)):
        return {"d_prime": nan}
    (above, above_spread), (below, below_spread) = _moments(live), _moments(attack)
    spread = np.sqrt((above_spread + below_spread) / 2)
    return {"d_prime": float((above - below) / spread) if spread > 0 else nan}


def _finite(ranked: Ranked) -> bool:
    return bool(np.isfinite(ranked.scores[[0, -1]]).all())


def _moments(ranked: Ranked) -> tuple[float, float]:
    """Mean and variance."""
    mean = float(np.average(ranked.scores, weights=ranked.weights))
    return mean, float(np.average((ranked.scores - mean) ** 2, weights=ranked.weights))
