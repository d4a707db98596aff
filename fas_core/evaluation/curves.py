"""Points of the curves that a report draws. NumPy only.

Every point is an exact operating point of the scores; where there are millions, evenly many are kept,
and ever more of them towards both ends, where DET curves and low error rates are read.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from attrs import frozen

from fas_core.scores.ranked import Floats, Positions, Ranked
from fas_core.scores.rates import ErrorRates
from fas_core.scores.table import ScoreTable

PARTS = 1000
"""How many thresholds of each class are kept: lines of some 2,000 points are exact to the eye."""

FARTHEST = 1e100
"""Scores beyond it, infinite ones among them, are drawn at the edge: no axis reaches that far."""


@frozen(eq=False)
class Curve:
    """Both error rates at T thresholds, ascending.

    Args:
        thresholds: (T,) accept when `score >= threshold`.
        apcer: (T,) fraction of attacks accepted, species pooled, falling from 1.
        apcer_max: (T,) that of the worst species.
        bpcer: (T,) fraction of live samples refused, rising from 0.
    """

    thresholds: Floats
    apcer: Floats
    apcer_max: Floats
    bpcer: Floats


def error_curve(rates: ErrorRates, parts: int = PARTS) -> Curve:
    """Operating points from the one that accepts all to the one that refuses all.

    Between two neighbours neither rate changes by more than about 2 / `parts`, but where a single score
    is shared by more of the samples than that.

    Args:
        rates: of at least one live sample and one attack; a rate is NaN where its class is empty.
        parts: how many distinct thresholds of each class are kept; all, where there are no more.
    """
    kept = np.unique(np.concatenate([_spread(part, parts) for part in (rates.live, rates.attack)]))
    top = kept[-1:][kept[-1:] < np.inf]
    thresholds = np.concatenate([kept, np.nextafter(top, np.inf)])
    return Curve(thresholds, rates.apcer(thresholds), rates.apcer_max(thresholds), rates.bpcer(thresholds))


def normal_deviate(rates: Floats) -> Floats:
    """Rates on the axis of a DET plot, where the errors of two normal distributions lie on a straight line.

    Martin et al., The DET curve in assessment of detection task performance, Eurospeech 1997.

    Args:
        rates: (N,) in (0, 1).
    """
    return np.array([NormalDist().inv_cdf(rate) for rate in rates], np.float64)


@frozen(eq=False)
class Histogram:
    """How the scores of both classes are distributed.

    Args:
        edges: (B + 1,) of the bins, ascending, the same for both.
        live: (B,) fraction of the live samples in each bin; zeros where there are none.
        attack: (B,) likewise.
    """

    edges: Floats
    live: Floats
    attack: Floats


def histogram(scores: ScoreTable, bins: int = 50) -> Histogram:
    """Over `score_range`; what lies outside falls into the outermost bins."""
    live, attack = scores.live, scores.attack
    low, high = score_range(scores.rates)
    edges = np.linspace(low, high, bins + 1)
    parts = [np.histogram(np.clip(part, low, high), edges)[0] / max(len(part), 1) for part in (live, attack)]
    return Histogram(edges, parts[0], parts[1])


def score_range(rates: ErrorRates) -> tuple[float, float]:
    """Where scores are drawn: all, but what lies farther away than the middle 98 % of both classes are wide.

    A little apart where all are equal; 0 and 1 without any.
    """
    parts = [found for part in (rates.live, rates.attack) if len(found := _finite(part))]
    if not parts:
        return 0.0, 1.0
    low, high = min(_at(part, 0.01) for part in parts), max(_at(part, 0.99) for part in parts)
    least, most = min(part[0] for part in parts), max(part[-1] for part in parts)
    if low < high:
        least, most = max(least, low - (high - low)), min(most, high + (high - low))
    margin = max(abs(least), 1.0) / 2 if least == most else 0.0
    return float(least - margin), float(most + margin)


def _finite(part: Ranked) -> Floats:
    first, last = np.searchsorted(part.scores, [-FARTHEST, FARTHEST])
    return part.scores[first:last]


def _at(ascending: Floats, share: float) -> float:
    return float(ascending[round(share * (len(ascending) - 1))])


def _spread(part: Ranked, parts: int) -> Floats:
    """Scores of one class at ranks that are spread evenly and, towards both ends, geometrically."""
    scores = part.expanded()
    return scores[_ranks(len(scores), parts)]


def _ranks(count: int, parts: int) -> Positions:
    if count <= parts:
        return np.arange(count)
    even = np.linspace(0, count - 1, parts // 2)
    ends = np.geomspace(1, count, parts // 4) - 1
    return np.unique(np.round(np.concatenate([even, ends, count - 1 - ends])).astype(np.intp))
