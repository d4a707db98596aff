"""Points of the curves and bins of the histograms that a report draws.

Every point is an exact operating point of the scores. Where there are millions, evenly spaced ones are
kept, and denser ones towards both ends, where DET curves and low error rates are read.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from attrs import frozen

from fas_core.evaluation.text_histogram import score_range
from fas_core.scores.ranked import Floats, Positions, Ranked
from fas_core.scores.rates import ErrorRates
from fas_core.scores.table import ScoreTable

POINTS = 1000
"""How many thresholds of each class are kept: lines of some 2,000 points are exact to the eye."""


@frozen(eq=False)
class Curve:
    """Both error rates at T thresholds, ascending.

    Args:
        thresholds: (T,) accept when `score >= threshold`.
        apcer: (T,) fraction of attacks accepted, PAI species pooled, falling from 1.
        apcer_max: (T,) that of the worst species.
        bpcer: (T,) fraction of live samples rejected, rising from 0.
    """

    thresholds: Floats
    apcer: Floats
    apcer_max: Floats
    bpcer: Floats


def error_curve(rates: ErrorRates, points: int = POINTS) -> Curve:
    """Operating points from the one that accepts all to the one that rejects all.

    Between neighbours neither rate changes by more than about 2 / `points`, unless more samples than
    that share one score.

    Args:
        rates: of at least one live sample and one attack; a rate is NaN where its class is empty.
        points: how many distinct thresholds of each class are kept; all, where there are no more.
    """
    scores = np.unique(
        np.concatenate([_select_scores(ranked, points) for ranked in (rates.live, rates.attack)])
    )
    finite_top = scores[-1:][scores[-1:] < np.inf]
    thresholds = np.concatenate([scores, np.nextafter(finite_top, np.inf)])
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
    """The distribution of both classes' scores.

    Args:
        edges: (B + 1,) of the bins, ascending, the same for both.
        live: (B,) fraction of the live samples in each bin; zeros where there are none.
        attack: (B,) likewise.
    """

    edges: Floats
    live: Floats
    attack: Floats


def histogram(scores: ScoreTable, bins: int = 50) -> Histogram:
    """Histogram over `score_range`; scores outside it fall into the outermost bins."""
    low, high = score_range(scores.rates)
    edges = np.linspace(low, high, bins + 1)
    live, attack = (
        np.histogram(np.clip(values, low, high), edges)[0] / max(len(values), 1)
        for values in (scores.live, scores.attack)
    )
    return Histogram(edges, live, attack)


def _select_scores(ranked: Ranked, count: int) -> Floats:
    """Scores of one class at ranks that are spaced evenly and, towards both ends, geometrically."""
    scores = ranked.expand()
    return scores[_select_ranks(len(scores), count)]


def _select_ranks(total: int, count: int) -> Positions:
    if total <= count:
        return np.arange(total)
    even = np.linspace(0, total - 1, count // 2)
    ends = np.geomspace(1, total, count // 4) - 1
    return np.unique(np.round(np.concatenate([even, ends, total - 1 - ends])).astype(np.intp))
