"""Several systems' scores made into one: the rules, and what they are fitted on.

| rule | score of a sample | fitted on dev |
|---|---|---|
| `mean` | the members' mean | nothing |
| `weighted` | sum of w_k s_k, w_k >= 0, sum 1 | w, by least log loss: convex, so there is one answer |
| `stacking` | P(live) by logistic regression on the members' scores | its weights and bias |
| `published` | the largest score where the mean is above t, else the smallest | t, by fewest errors at 0.5 |

`published` is the rule of FeatherNets (Zhang et al., arXiv 1904.09290), which chose t on the labels that were
then judged; here nothing is ever fitted on what is judged. A sample that any member has no score for (NaN)
has none from the ensemble.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import asdict, frozen
from numpy.typing import NDArray

from fas_core.atomic import replacing
from fas_core.data.samples import ATTACK, LIVE
from fas_core.errors import DataError, FasError
from fas_core.plugins import Registry
from fas_core.ranked import Floats
from fas_core.report.bootstrap import aligned
from fas_core.scores import ScoreTable
from fas_core.structure import structure
from fas_core.thresholds import Threshold

RuleName = Literal["mean", "weighted", "stacking", "published"]
RULES: tuple[RuleName, ...] = get_args(RuleName)

DECISION = 0.5
"""Where the published rule counts its errors: at P(live), as published."""

STEPS, TOLERANCE = 10_000, 1e-6


@frozen
class Rule:
    """A rule, fitted: all that is needed to apply it again.

    Args:
        name: one of `RULES`.
        members: what it was fitted for, in order.
        weights: one a member; of `published` none.
        bias: of `stacking`.
        t: of `published`.
    """

    name: RuleName
    members: tuple[str, ...]
    weights: tuple[float, ...] = ()
    bias: float = 0.0
    t: float | None = None

    def __call__(self, scores: Floats) -> Floats:
        """(K members, N) -> (N,); NaN where any member's is."""
        if self.name == "mean":
            return np.asarray(scores.mean(axis=0))
        if self.name == "published":
            above = scores.mean(axis=0) > self.t
            return np.asarray(np.where(above, scores.max(axis=0), scores.min(axis=0)))
        total = (np.asarray(self.weights)[:, None] * scores).sum(axis=0)
        return np.asarray(total if self.name == "weighted" else _logistic(self.bias + total))

    def is_whole(self) -> bool:
        """Whether it has what its name needs, and nothing else."""
        weights = len(self.members) if self.name in ("weighted", "stacking") else 0
        numbers = (*self.weights, self.bias, self.t or 0.0)
        return (
            bool(self.members)
            and len(self.weights) == weights
            and (self.t is not None) == (self.name == "published")
            and all(map(isfinite, numbers))
        )


@frozen
class Ensemble:
    """What was fitted on dev: enough to score and judge other samples of the same members.

    Args:
        threshold: of the ensemble's scores; None where there were no dev scores to fit it on.
    """

    rule: Rule
    threshold: Threshold | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data, without what is as by default."""
        rule = asdict(self.rule, filter=lambda field, value: value != field.default)
        return {"rule": rule, "threshold": self.threshold and self.threshold.to_json()}

    def write(self, path: Path) -> None:
        """Write JSON; numbers read back as they were.

        Raises:
            FasError: the file cannot be written.
        """
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Ensemble:
        """Read what `write` wrote.

        Raises:
            FasError: the file is not there or is no such document.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise FasError(f"{path}: cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise FasError(f"{path}: not an ensemble that fas wrote: {error}") from error
        ensemble = structure(found, cls, Registry(()), str(path))
        if not ensemble.rule.is_whole():
            raise FasError(f"{path}: a {ensemble.rule.name!r} rule without what it needs, or with more")
        return ensemble


def joined(tables: Mapping[str, ScoreTable]) -> tuple[ScoreTable, Floats]:
    """The first table that has labels (else the first), and (K, N) every table's scores in its row order.

    A table without any label takes the others'.

    Raises:
        DataError: ids or labels differ between two tables, or a score is infinite.
    """
    first = next((name for name, table in tables.items() if _any_label(table)), next(iter(tables)))
    like = tables[first]
    bare = ScoreTable.of({name: like.table.column(name) for name in ("id", "score")})
    rows = []
    for name, table in tables.items():
        try:
            rows.append(aligned(table, like if _any_label(table) else bare).scores)
        except DataError as error:
            raise DataError(f"{name} and {first}: {error.message}") from error
        if infinite := int(np.isinf(rows[-1]).sum()):
            raise DataError(f"{name}: {infinite} of {len(table)} scores are infinite and have no mean")
    return like, np.stack(rows)


def merged(rule: Rule, like: ScoreTable, scores: Floats) -> ScoreTable:
    """The ensemble's scores of the samples of `like`, from (K, N) of its members."""
    return ScoreTable(like.table.set_column(1, "score", pa.array(rule(scores), pa.float64())))


def fit(name: RuleName, members: Sequence[str], dev: tuple[ScoreTable, Floats] | None) -> Rule:
    """Fit a rule to the members' dev scores; `mean` needs none.

    Args:
        name: one of `RULES`.
        members: K names.
        dev: as `joined` gives it; samples without label or without some member's score are left out.

    Raises:
        DataError: there are no dev scores of both classes to fit it on, or they do not suit the rule.
        ModuleNotFoundError: `stacking` without scikit-learn.
    """
    if name == "mean":
        return Rule(name, tuple(members))
    if dev is None:
        raise DataError(f"rule {name!r} is fitted on dev scores, and not every member has some")
    labels, scores = dev[0].labels, dev[1]
    kept = (labels >= 0) & ~np.isnan(scores).any(axis=0)
    live, scores = labels[kept] == LIVE, scores[:, kept]
    if live.all() or not live.any():
        raise DataError(
            f"rule {name!r} is fitted on dev scores of both classes: of the {len(labels)} samples that the "
            f"members share, {int((labels == LIVE)[kept].sum())} live and "
            f"{int((labels == ATTACK)[kept].sum())} attacks have every member's score"
        )
    if name == "published":
        return Rule(name, tuple(members), t=fit_t(scores, live))
    if name == "weighted":
        _need_probabilities(members, scores)
        return Rule(name, tuple(members), weights=tuple(map(float, fit_weights(scores, live))))
    weights, bias = fit_logistic(scores, live)
    return Rule(name, tuple(members), weights=tuple(map(float, weights)), bias=bias)


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


def _logistic(x: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow, and exact near 0."""
    with np.errstate(invalid="ignore"):  # NaN stays what it is
        return np.asarray(np.exp(-np.logaddexp(0, -x)))


def _any_label(table: ScoreTable) -> bool:
    return bool(pc.any(pc.is_valid(table.table.column("label"))).as_py())


def _need_probabilities(members: Sequence[str], scores: Floats) -> None:
    for name, row in zip(members, scores, strict=True):
        if row.min() < 0 or row.max() > 1:
            raise DataError(
                f"{name}: scores from {row.min():.4g} to {row.max():.4g} are no probabilities, which "
                f"'weighted' takes: choose --rule stacking, which takes any"
            )
