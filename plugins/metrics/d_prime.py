"""Sensitivity index: how far the two classes' scores lie apart. No fraction, and no threshold.

    d' = (mean(live) - mean(attack)) / sqrt((var(live) + var(attack)) / 2)

with the variance over the samples as they are (divided by their number).
"""

from __future__ import annotations

from math import inf, nan

import numpy as np

from fas_core import NoOptions
from fas_core.scores.ranked import Counts, Floats, Ranked
from fas_core.scores.table import ScoreTable


def d_prime(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """`d_prime`; NaN without both classes, with infinite scores, or where nothing varies."""
    if not scores.rates.has_both_classes:
        return {"d_prime": nan}
    (live, live_weights), (attack, attack_weights) = map(_drawn, (scores.rates.live, scores.rates.attack))
    most = max(abs(end) for part in (live, attack) for end in part[[0, -1]].tolist())
    if most == inf:
        return {"d_prime": nan}
    # It does not depend on the unit, and in this one no square overflows or vanishes.
    unit = -int(np.frexp(most)[1])
    above, above_spread = _moments(np.ldexp(live, unit), live_weights)
    below, below_spread = _moments(np.ldexp(attack, unit), attack_weights)
    spread = np.sqrt((above_spread + below_spread) / 2)
    return {"d_prime": float((above - below) / spread) if spread > 0 else nan}


def _drawn(ranked: Ranked) -> tuple[Floats, Counts]:
    """The scores that count at all, and how often each does."""
    counted = ranked.weights > 0
    return ranked.scores[counted], ranked.weights[counted]


def _moments(scores: Floats, weights: Counts) -> tuple[float, float]:
    """Mean and variance."""
    # From the first score on, as the mean of equal numbers may otherwise not be that number.
    start = float(scores[0])
    mean = start + float(np.average(scores - start, weights=weights))
    return mean, float(np.average((scores - mean) ** 2, weights=weights))
