"""Sensitivity index: the distance between the two classes' scores. Neither a fraction nor at a threshold.

    d' = (mean(live) - mean(attack)) / sqrt((var(live) + var(attack)) / 2)

with population variances (divided by the number of samples).
"""

from __future__ import annotations

from math import inf, nan

import numpy as np

from fas_core import NoOptions
from fas_core.scores.ranked import Counts, Floats, Ranked
from fas_core.scores.table import ScoreTable


def d_prime(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """Return `d_prime`; NaN without both classes, with infinite scores, or where neither class varies."""
    if not scores.rates.has_both_classes:
        return {"d_prime": nan}
    live, live_weights = _select_weighted(scores.rates.live)
    attack, attack_weights = _select_weighted(scores.rates.attack)
    largest = max(abs(extreme) for ranked in (live, attack) for extreme in ranked[[0, -1]].tolist())
    if largest == inf:
        return {"d_prime": nan}
    # d' does not depend on the scale; at this power of two no square overflows or vanishes.
    exponent = -int(np.frexp(largest)[1])
    live_mean, live_variance = _compute_moments(np.ldexp(live, exponent), live_weights)
    attack_mean, attack_variance = _compute_moments(np.ldexp(attack, exponent), attack_weights)
    deviation = np.sqrt((live_variance + attack_variance) / 2)
    return {"d_prime": float((live_mean - attack_mean) / deviation) if deviation > 0 else nan}


def _select_weighted(ranked: Ranked) -> tuple[Floats, Counts]:
    """Return the scores of positive weight, and their weights."""
    selected = ranked.weights > 0
    return ranked.scores[selected], ranked.weights[selected]


def _compute_moments(scores: Floats, weights: Counts) -> tuple[float, float]:
    """Return mean and variance."""
    # Relative to the first score, because the mean of equal numbers may otherwise differ from them.
    first = float(scores[0])
    mean = first + float(np.average(scores - first, weights=weights))
    return mean, float(np.average((scores - mean) ** 2, weights=weights))
