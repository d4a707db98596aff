"""Fit the rules on dev scores, never on the samples to evaluate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fas_core.console import console
from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE
from fas_core.scores.ranked import Floats
from fas_plugins.commands.ensemble.joined_scores import JoinedScores
from fas_plugins.commands.ensemble.rule import FittedRule, RuleName

PUBLISHED_THRESHOLD = 0.5
"""The decision threshold on P(live) at which the published rule counts errors."""

MAX_STEPS, TOLERANCE = 10_000, 1e-6


def fit_rule(name: RuleName, members: tuple[str, ...], dev: JoinedScores | None) -> FittedRule:
    """Fit a rule on the members' dev scores; `mean` needs none.

    Args:
        name: one of `RULES`.
        members: K names.
        dev: dev scores of the members. Samples without a label or without the score of a member are left out.

    Raises:
        DataError: there are no dev scores of both classes, or they are not probabilities and the rule needs
            probabilities.
        ModuleNotFoundError: `stacking` without scikit-learn.
    """
    if name == "mean":
        return FittedRule(name, members)
    if dev is None:
        raise DataError(f"rule {name!r} is fitted on dev scores, and not every member has some")
    scores, live = _select_complete(name, dev)
    if name != "stacking" and (ranges := dev.ranges_beyond_unit()):
        member, (low, high) = next(iter(ranges.items()))
        raise DataError(
            f"{member}: scores from {low:.4g} to {high:.4g} are not probabilities, which {name!r} needs: "
            f"choose --rule stacking, which takes any scores"
        )
    if name == "published":
        return FittedRule(name, members, t=fit_switch(scores, live))
    if name == "weighted":
        return FittedRule(name, members, weights=tuple(map(float, fit_weights(scores, live))))
    weights, bias = fit_logistic(scores, live)
    return FittedRule(name, members, weights=tuple(map(float, weights)), bias=bias)


def _select_complete(name: RuleName, dev: JoinedScores) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the scores (K, M) of the M labelled samples with all members' scores, and which are live (M,).

    Raises:
        DataError: one of the two classes has no such sample.
    """
    labels = dev.samples.labels
    complete = (labels >= 0) & ~np.isnan(dev.scores).any(axis=0)
    live = labels[complete] == LIVE
    if live.all() or not live.any():
        raise DataError(
            f"rule {name!r} is fitted on dev scores of both classes: of the {len(labels)} samples that the "
            f"members share, {int(live.sum())} live and {int((labels[complete] == ATTACK).sum())} attacks "
            f"have every member's score"
        )
    return dev.scores[:, complete], live


def fit_weights(scores: Floats, live: NDArray[np.bool_]) -> Floats:
    """Return the weights (K,), non-negative with sum 1, for which the mean P(live) has the least log loss.

    Expectation maximisation for the proportions of a mixture (Dempster, Laird and Rubin, Maximum likelihood
    from incomplete data via the EM algorithm, 1977). The largest growth of a weight, minus 1, bounds how far
    the loss is from its minimum. The loop stops at 1e-6, or after 10,000 steps, where the bound is at most
    log(K) / 10,000.

    Args:
        scores: (K, N) probabilities of live; a probability of the true class below 1e-15 counts as 1e-15.
        live: (N,) whether a sample is live.
    """
    likelihood = np.maximum(np.where(live, scores, 1 - scores), 1e-15)
    weights = np.full(len(scores), 1 / len(scores))
    with console.progress("fitting weights", MAX_STEPS, "steps at most") as progress:
        for _ in range(MAX_STEPS):
            growth = (likelihood / (weights @ likelihood)).mean(axis=1)
            weights = weights * growth
            progress.advance()
            if growth.max() - 1 < TOLERANCE:
                break
    return np.asarray(weights / weights.sum())


def fit_logistic(scores: Floats, live: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Return the weights (K,) and the bias of scikit-learn's `LogisticRegression` (L2 penalty, C = 1).

    Scores are standardised for the fit, so that the penalty does not depend on their scale. The result
    applies to the scores as they are.

    Args:
        scores: (K, N), of any range.
        live: (N,) whether a sample is live.
    """
    from sklearn.linear_model import LogisticRegression

    mean, std = scores.mean(axis=1), scores.std(axis=1)
    std[std == 0] = 1
    model = LogisticRegression().fit(((scores.T - mean) / std), live)
    weights = model.coef_[0] / std
    return weights, float(model.intercept_[0] - weights @ mean)


def fit_switch(scores: Floats, live: NDArray[np.bool_]) -> float:
    """Return t of the published rule: the mean score above which the largest score counts.

    t gives the fewest errors at 0.5; of equally good intervals of t, the middle of the widest. The errors
    change only at the samples' means, so every t in [0, 1] (and beyond, where means are) is considered.

    Args:
        scores: (K, N) probabilities of live.
        live: (N,) whether a sample is live.
    """
    mean = scores.mean(axis=0)
    order = np.argsort(mean, kind="stable")
    extremes = scores.max(axis=0), scores.min(axis=0)
    error_of_max, error_of_min = (((row >= PUBLISHED_THRESHOLD) != live)[order] for row in extremes)
    mean = mean[order]
    # errors[i]: the i samples with the smallest means get their minimum, the others their maximum.
    errors = np.concatenate([[0], error_of_min.cumsum()])
    errors += np.concatenate([error_of_max[::-1].cumsum()[::-1], [0]])
    edges = np.concatenate([[min(0.0, mean[0])], mean, [max(1.0, mean[-1])]])
    wide = np.flatnonzero(edges[:-1] < edges[1:])  # no t lies between equal means
    best = errors[wide] == errors[wide].min()
    starts = np.flatnonzero(best & ~np.concatenate([[False], best[:-1]]))
    ends = np.flatnonzero(best & ~np.concatenate([best[1:], [False]]))
    low, high = edges[wide[starts]], edges[wide[ends] + 1]
    widest = int(np.argmax(high - low))
    # The middle of two neighbouring floats may round to the upper one, which would move the sample there.
    return float(min((low[widest] + high[widest]) / 2, np.nextafter(high[widest], low[widest])))
