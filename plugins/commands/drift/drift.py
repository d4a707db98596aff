"""Whether a deployed model's scores have shifted between two periods (or cameras), and by how much.

Nothing of it needs labels, which a deployed model has not:

- the largest distance between the two distribution functions (Kolmogorov and Smirnov), which any change
  of the scores moves, and at least as large as the change of the rejection rate at any threshold;
- the chance that a new score exceeds an old one, ties counting half, which says how far, and in which
  direction: H. B. Mann and D. R. Whitney, On a test of whether one of two random variables is
  stochastically larger than the other, Annals of Mathematical Statistics 18, 1947;
- the rejection rate, the share of samples with `score < threshold`, and the share without a score;
- with labels, APCER and BPCER.

What has changed is told by permutation (`fas_plugins.commands.drift.permutation`), how much by intervals:
Wilson's and Newcombe's of rates of independent samples, else percentiles of a bootstrap over whole subjects or videos,
each period's drawn for itself. Of k changes that are looked for each is tested at a k-th of the
significance level, and intervals leave out as little (Bonferroni): a false alarm of any kind is no more
likely than the level, and the intervals hold together.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import numpy as np
from attrs import asdict, frozen

from fas_core.errors import ConfigError, DataError
from fas_core.evaluation.bootstrap import REPLICATES, percentiles
from fas_core.scores.ranked import Floats
from fas_core.scores.rates import ErrorRates
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.drift.periods import Draws, Event, Rows, comparable, divisible, unit
from fas_plugins.commands.drift.permutation import ROUNDING, least_p
from fas_plugins.commands.drift.proportions import Interval, newcombe, wilson

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@frozen
class Period:
    """What is known of one period's scores.

    Args:
        name: what it is called.
        samples: how many rows there are.
        groups: how many subjects or videos; as many as samples where those are independent.
        quantiles: `{share: the least score that so many are at or below}`, of `QUANTILES`.
    """

    name: str
    samples: int
    groups: int
    quantiles: Mapping[float, float]


@frozen
class Shift:
    """How the scores have moved.

    Args:
        distance: the most that the two distribution functions differ, in [0, 1].
        p: how likely so much is where nothing has changed.
        clear: whether that is too unlikely.
        exceeds: the chance that a new score exceeds an old one, ties counting half; 0.5 if nothing moved.
        interval: of that.
    """

    distance: float
    p: float
    clear: bool
    exceeds: float
    interval: Interval


@frozen
class Share:
    """`count` of `total` samples, and the interval of the rate."""

    count: int
    total: int
    interval: Interval

    @property
    def rate(self) -> float:
        return self.count / self.total

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "rate": self.rate}


@frozen
class Change:
    """One rate of both periods.

    Args:
        interval: of new minus old.
        p: how likely so much is where nothing has changed.
        clear: whether that is too unlikely.
    """

    old: Share
    new: Share
    interval: Interval
    p: float
    clear: bool

    @property
    def difference(self) -> float:
        return self.new.rate - self.old.rate

    def to_json(self) -> dict[str, Any]:
        said = {"difference": self.difference, "interval": self.interval, "p": self.p, "clear": self.clear}
        return {"old": self.old.to_json(), "new": self.new.to_json(), **said}


@frozen
class Drift:
    """Two periods of one model.

    Args:
        by: what was taken as independent: `subject`, `video` or `sample`.
        threshold: what rejects; None where that is not known.
        significance: how likely a false alarm of any kind may be.
        each: the level of each test; intervals are of `1 - each`.
        replicates: random divisions, and draws of the bootstrap.
        shift: of the scores.
        changes: of the rates, of `rejected`, `no_score`, `apcer` and `bpcer` those that there are.
        decidable: whether there are enough groups for any change to be clear.
    """

    old: Period
    new: Period
    by: str
    threshold: Threshold | None
    significance: float
    each: float
    replicates: int
    shift: Shift
    changes: Mapping[str, Change]
    decidable: bool

    @property
    def found(self) -> bool:
        """Whether anything has clearly changed."""
        return self.shift.clear or any(change.clear for change in self.changes.values())

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON: rates as fractions."""
        periods = {
            key: {**asdict(one), "quantiles": {f"{share:g}": q for share, q in one.quantiles.items()}}
            for key, one in (("old", self.old), ("new", self.new))
        }
        return {
            **periods,
            "by": self.by,
            "threshold": self.threshold and self.threshold.to_json(),
            "significance": self.significance,
            "each": self.each,
            "replicates": self.replicates,
            "shift": asdict(self.shift),
            "rates": {name: change.to_json() for name, change in self.changes.items()},
            "drift": self.found if self.decidable else None,
        }


def find_drift(
    old: ScoreTable,
    new: ScoreTable,
    threshold: Threshold | None,
    *,
    names: tuple[str, str] = ("old", "new"),
    by: str | None = None,
    significance: float = 0.05,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Drift:
    """What has changed from `old` to `new`; deterministic by seed.

    Args:
        old, new: the two periods; labels are used where both have them, and not needed.
        threshold: what rejects; None for no rates that need one.
        names: what the periods are called.
        by: what is independent: `subject`, `video` or `sample`; None for the first that is known of all rows.
        significance: how likely a false alarm may be, in (0, 1).
        replicates: random divisions, and draws of the bootstrap.

    Raises:
        DataError: a period has no scores, or rows of which `by` is not known.
        ConfigError: the replicates are too few for the significance level.
    """
    for name, scores in zip(names, (old, new), strict=True):
        if np.isnan(scores.scores).all():
            raise DataError(f"{name}: none of its {len(scores)} rows has a score: nothing to compare")
    by = unit(dict(zip(names, (old, new), strict=True)), by)
    cut = None if threshold is None else threshold.value
    before, after = Rows.of(old, by, cut), Rows.of(new, by, cut)
    kinds = comparable(before, after)
    each = _level(significance, 1 + len(kinds), replicates)
    limit = each * (1 + ROUNDING)
    decidable = least_p(before.count, after.count) <= limit
    limit *= decidable  # an estimate may be below the least that a p-value can be
    groups = divisible(before, after, kinds)
    p, *p_values = groups.p_values(replicates, seed).tolist()
    drawn = Draws.of(before, after, kinds, replicates, seed)
    shift = Shift(
        distance=float(groups.differences(groups.actual)[0, 0]),
        p=p,
        clear=p <= limit,
        exceeds=ErrorRates.of(new.scores, old.scores, {}).auc(),
        interval=percentiles(drawn.exceeds, 1 - each),
    )
    changes = {}
    for at, (kind, p) in enumerate(zip(kinds, p_values, strict=True)):
        resampled = None if by == "sample" else drawn.rates[:, :, at]
        found = _rates(before.events[kind], after.events[kind], resampled, 1 - each)
        changes[kind] = Change(*found, p, p <= limit)
    periods = [_period(*found) for found in zip(names, (before, after), strict=True)]
    return Drift(
        old=periods[0],
        new=periods[1],
        by=by,
        threshold=threshold,
        significance=significance,
        each=each,
        replicates=replicates,
        shift=shift,
        changes=changes,
        decidable=decidable,
    )


def _level(significance: float, tests: int, replicates: int) -> float:
    """Of each of so many tests."""
    each = significance / tests
    if each * (1 + ROUNDING) * (replicates + 1) < 1:
        least = ceil(tests / significance - ROUNDING) - 1
        raise ConfigError(
            f"--replicates {replicates}: too few for a significance level of {significance:g}, which is "
            f"{each:.3g} for each of {tests} changes: give at least {least}"
        )
    return each


def _rates(old: Event, new: Event, drawn: Floats | None, level: float) -> tuple[Share, Share, Interval]:
    """One rate of both periods, and the interval of its change.

    Args:
        old, new: what it is of.
        drawn: (R, 2) draws of it, where samples are not independent.
        level: of the intervals.
    """
    counts = [(int(hits.sum()), int(of.sum())) for of, hits in (old, new)]
    if drawn is None:
        own = [wilson(*count, level) for count in counts]
        change = newcombe(counts[1], counts[0], level)
    else:
        own = [percentiles(values, level) for values in drawn.T]
        change = percentiles(drawn[:, 1] - drawn[:, 0], level)
    return Share(*counts[0], own[0]), Share(*counts[1], own[1]), change


def _period(name: str, rows: Rows) -> Period:
    scored = rows.scores[~np.isnan(rows.scores)]
    # Scores that occur, not means of two of them: there is none between two infinities.
    found = np.quantile(scored, QUANTILES, method="inverted_cdf").tolist()
    return Period(name, len(rows.scores), rows.count, dict(zip(QUANTILES, found, strict=True)))
