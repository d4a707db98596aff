"""What has changed between two periods of scores, as records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import asdict, frozen

from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.drift.proportions import Interval


@frozen
class Period:
    """The scores of one period.

    Args:
        name: what it is called.
        samples: number of rows.
        groups: number of subjects or videos; that of the samples where those are independent.
        quantiles: `{share: the least score that so many scores are at or below}`.
    """

    name: str
    samples: int
    groups: int
    quantiles: Mapping[float, float]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"quantiles": {f"{share:g}": score for share, score in self.quantiles.items()}}


@frozen
class Shift:
    """How the scores have moved.

    Args:
        distance: largest difference of the two distribution functions, in [0, 1].
        p: p-value of the distance.
        clear: whether the p-value is significant.
        exceeds: the chance that a new score exceeds an old one, ties counting half; 0.5 for no shift.
        interval: confidence interval of `exceeds`.
        exact: whether the interval is exact, because no bootstrap draw differs.
    """

    distance: float
    p: float
    clear: bool
    exceeds: float
    interval: Interval
    exact: bool = False


@frozen
class Share:
    """`count` of `total` samples, and the confidence interval of the rate.

    `exact` says whether the interval is exact, because no bootstrap draw differs.
    """

    count: int
    total: int
    interval: Interval
    exact: bool = False

    @property
    def rate(self) -> float:
        return self.count / self.total

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "rate": self.rate}


@frozen
class Change:
    """One rate in both periods.

    Args:
        old, new: the rate in each period.
        interval: confidence interval of new minus old.
        p: p-value of the difference.
        clear: whether the p-value is significant.
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
        return {
            "old": self.old.to_json(),
            "new": self.new.to_json(),
            "difference": self.difference,
            "interval": self.interval,
            "p": self.p,
            "clear": self.clear,
        }


@frozen
class Drift:
    """The comparison of two periods of one model.

    Args:
        old, new: the periods.
        by: what counts as independent: `subject`, `video` or `sample`.
        threshold: scores below it are rejected; None where it is not known.
        significance: the chance of any false alarm.
        test_level: significance level of each test; intervals have the level `1 - test_level`.
        replicates: number of random divisions, and of bootstrap draws.
        shift: of the scores.
        changes: of the rates `rejected`, `uncertain`, `no_score`, `apcer` and `bpcer`, where both periods
            have them.
        decidable: whether there are enough groups for any change to be significant.
    """

    old: Period
    new: Period
    by: str
    threshold: Threshold | None
    significance: float
    test_level: float
    replicates: int
    shift: Shift
    changes: Mapping[str, Change]
    decidable: bool

    @property
    def detected(self) -> bool:
        """Whether anything has clearly changed."""
        return self.shift.clear or any(change.clear for change in self.changes.values())

    def to_json(self) -> dict[str, Any]:
        """Return plain data for strict JSON; rates are fractions."""
        return {
            "old": self.old.to_json(),
            "new": self.new.to_json(),
            "by": self.by,
            "threshold": self.threshold and self.threshold.to_json(),
            "significance": self.significance,
            "each": self.test_level,
            "replicates": self.replicates,
            "shift": asdict(self.shift),
            "rates": {name: change.to_json() for name, change in self.changes.items()},
            "drift": self.detected if self.decidable else None,
        }
