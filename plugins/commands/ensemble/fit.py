"""What a rule is fitted to: dev scores, and never those that are judged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE
from fas_core.scores.ranked import Floats
from fas_plugins.commands.ensemble.joined import Joined
from fas_plugins.commands.ensemble.rule import Rule, RuleName

DECISION = 0.5
"""Where the published rule counts its errors: at P(live), as published."""

STEPS, TOLERANCE = 10_000, 1e-6


def fit(name: RuleName, members: tuple[str, ...], dev: Joined | None) -> Rule:
    """Fit a rule to the members' dev scores; `mean` needs none.

    Args:
        name: one of `RULES`.
        members: K names.
        dev: their dev scores; samples without label or without some member's score are left out.

    Raises:
        DataError: there are no dev scores of both classes to fit it on, or they do not suit the rule.
        ModuleNotFoundError: `stacking` without scikit-learn.
    """
    if name == "mean":
        return Rule(name, members)
    if dev is None:
        raise DataError(f"rule {name!r} is fitted on dev scores, and not every member has some")
    labels, scores = dev.like.labels, dev.scores
    kept = (labels >= 0) & ~np.isnan(scores).any(axis=0)
    live, scores = labels[kept] == LIVE, scores[:, kept]
    if live.all() or not live.any():
        raise DataError(
            f"rule {name!r} is fitted on dev scores of both classes: of the {len(labels)} samples that the "
            f"members share, {int((labels == LIVE)[kept].sum())} live and "
            f"{int((labels == ATTACK)[kept].sum())} attacks have every member's score"
        )
    if name != "stacking" and (others := dev.no_probabilities()):
        member, (low, high) = next(iter(others.items()))
        raise DataError(
            f"{member}: scores from {low:.4g} to {high:.4g} are no probabilities, which {name!r} takes: "
            f"choose --rule stacking, which takes any"
        )
    if name == "published":
        return Rule(name, members, t=fit_t(scores, live))
    if name == "weighted":
        return Rule(name, members, weights=tuple(map(float, fit_weights(scores, live))))
    weights, bias = fit_logistic(scores, live)
    return Rule(name, members, weights=tuple(map(float, weights)), bias=bias)


def fit_weights(scores: Floats, live: NDArray[np.bool_]) -> Floats:
    """(K,) non-negative weights of sum 1 by which the mean P(live) has the least log loss.

    Expectation maximisation for the proportions of a mixture (Dempster, Laird and Rubin, 1977). The largest
    factor by which a weight grows, less 1, bounds how far the loss is from the least: it stops at 1e-6, or
    after 10,000 steps, when it is log(K) / 10,000 at most.

    Args:
        scores: (K, N) probabilities; those of what a sample is count as 1e-15 at least.
        live: (N,).
    """
    likelihood = np.maximum(np.where(live, scores, 1 - scores), 1e-15)
    weights = np.full(len(scores), 1 / len(scores))
    for _ in range(STEPS):
        growth = (likelihood / (weights @ likelihood)).mean(axis=1)
        weights = weights * growth
        if growth.max() - 1 < TOLERANCE:
            break
    return np.asarray(weights / weights.sum())


def fit_logistic(scores: Floats, live: NDArray[np.bool_]) -> tuple[Floats, float]:
    """((K,) weights, bias) of scikit-learn's `LogisticRegression`, as it comes: L2 penalty, C = 1.

    The members are standardised first, so that the penalty is the same for scores of any scale; the result
    is for the scores as they are.
    """
    from sklearn.linear_model import LogisticRegression

    middle, spread = scores.mean(axis=1), scores.std(axis=1)
    spread[spread == 0] = 1
    model = LogisticRegression().fit(((scores.T - middle) / spread), live)
    weights = model.coef_[0] / spread
    return weights, float(model.intercept_[0] - weights @ middle)


def fit_t(scores: Floats, live: NDArray[np.bool_]) -> float:
    """The published rule's t: fewest errors at 0.5; of equally good stretches the middle of the widest.

    Between two neighbouring means t makes no difference, so that every t in [0, 1] (and further, where means
    are) has been looked at.
    """
    mean = scores.mean(axis=0)
    order = np.argsort(mean, kind="stable")
    as_max, as_min = (
        ((part >= DECISION) != live)[order] for part in (scores.max(axis=0), scores.min(axis=0))
    )
    mean = mean[order]
    # errors[i]: the i samples of the smallest means take their minimum, the others their maximum.
    errors = np.concatenate([[0], as_min.cumsum()]) + np.concatenate([as_max[::-1].cumsum()[::-1], [0]])
    edges = np.concatenate([[min(0.0, mean[0])], mean, [max(1.0, mean[-1])]])
    wide = np.flatnonzero(edges[:-1] < edges[1:])  # equal means cannot be told apart
    good = errors[wide] == errors[wide].min()
    starts = np.flatnonzero(good & ~np.concatenate([[False], good[:-1]]))
    ends = np.flatnonzero(good & ~np.concatenate([good[1:], [False]]))
    low, high = edges[wide[starts]], edges[wide[ends] + 1]
    best = int(np.argmax(high - low))
    # Of two neighbouring numbers the middle may round to the upper, where the sample above is lost.
    return float(min((low[best] + high[best]) / 2, np.nextafter(high[best], low[best])))
