"""Intervals of metrics: percentiles of a bootstrap, or exact ones where its replicates are all equal.

Comparisons are paired: both systems are computed on the same replicates of the same samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isnan, nan
from typing import Any

from attrs import field, frozen
from numpy.typing import NDArray

from fas_core.console import console
from fas_core.evaluation.bootstrap import (
    REPLICATES,
    Resampler,
    align_scores,
    choose_groups,
    draw_counts,
    percentiles,
)
from fas_core.evaluation.exact import (
    GroupCounts,
    Interval,
    combine_limits,
    difference_interval,
    share_interval,
)
from fas_core.evaluation.formatting import is_rate
from fas_core.evaluation.metrics import BoundMetric, compute_answered, finite_or_none, species_apcer
from fas_core.scores.ranked import Counts
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ScoreTable

LEVEL = 0.95


@frozen
class Intervals:
    """Intervals of all metrics and of each PAI species' APCER, NaN where none is defined.

    Args:
        by: what was drawn: `subject`, `video` or `sample`.
        groups: how many of them there are.
        replicates: number of bootstrap replicates.
        level: 0.95 for 95 % intervals.
        figures: the interval of each metric; `apcer_max` and `acer_max` have those of the species `worst`.
        species: the interval of each species' APCER.
        exact: the metrics whose interval is exact, see `fas_core.evaluation.exact`.
        exact_species: likewise the species.
        partly_exact: means of an exact and another rate, whose interval is the mean of both rates' limits.
        worst: the species with the highest APCER, of equal ones that with the fewest groups; None for
            differences, and where there is none.
    """

    by: str
    groups: int
    replicates: int
    level: float
    figures: Mapping[str, Interval]
    species: Mapping[str, Interval] = field(factory=dict)
    exact: tuple[str, ...] = ()
    exact_species: tuple[str, ...] = ()
    partly_exact: tuple[str, ...] = ()
    worst: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        draws = {"level": self.level, "by": self.by, "groups": self.groups, "replicates": self.replicates}
        figures = {key: [*map(finite_or_none, bounds)] for key, bounds in self.figures.items()}
        species = {key: [*map(finite_or_none, bounds)] for key, bounds in self.species.items()}
        exact = {"figures": [*self.exact], "species": [*self.exact_species], "partly": [*self.partly_exact]}
        return {**draws, "figures": figures, "species": species, "exact": exact, "worst_species": self.worst}


@frozen
class _Measured:
    """What is computed from a score table or a replicate of it.

    Args:
        requested: the metrics that were asked for.
        metrics: these, and the error rates that `acc`, `acer` and others are means of.
        species: APCER by PAI species.
    """

    requested: Mapping[str, float | None]
    metrics: Mapping[str, float | None]
    species: Mapping[str, float]


@frozen(eq=False)
class _System:
    """One system: its scores, metrics and threshold; `worst` is the species of its `apcer_max`.

    `answered` are the scores without the uncertain, which rates at the threshold count: the same as
    `resampler` where there is no band of uncertain scores.
    """

    resampler: Resampler
    answered: Resampler
    metrics: Sequence[BoundMetric]
    threshold: float | None
    groups: GroupCounts
    worst: str | None

    @classmethod
    def of(
        cls,
        scores: ScoreTable,
        groups: NDArray[Any],
        metrics: Sequence[BoundMetric],
        threshold: float | None,
        reject: RejectBand | None,
    ) -> _System:
        resampler = answered = Resampler.of(scores, groups)
        if reject is not None:
            answered = Resampler.of(scores.without_responses(reject.low, reject.high), groups)
        counts, apcer = answered.count_groups(), species_apcer(answered.scores, threshold)
        defined = [name for name, rate in apcer.items() if rate >= 0]
        worst = min(defined, key=lambda name: (-apcer[name], counts.species[name]), default=None)
        return cls(resampler, answered, metrics, threshold, counts, worst)

    @property
    def attack_share(self) -> float:
        """Share of attacks among the samples with a verdict."""
        rates = self.answered.scores.rates
        return rates.attack.total / max(rates.attack.total + rates.live.total, 1)

    def count_groups(self, key: str) -> int:
        """Return the number of groups that a rate is a share of."""
        return self.groups.behind(key, self.worst)

    def measure(self) -> _Measured:
        """Measure all samples."""
        return self._measure(self.resampler.scores, self.answered.scores)

    def measure_replicate(self, counts: Counts) -> _Measured:
        """Measure the samples with each of group g repeated `counts[g]` times."""
        scores = self.resampler.resample(counts)
        same = self.answered is self.resampler
        return self._measure(scores, scores if same else self.answered.resample(counts))

    def _measure(self, scores: ScoreTable, answered: ScoreTable) -> _Measured:
        """Compute all metrics, and the error rates that `acc`, `acer` and others are means of."""
        metrics = compute_answered(scores, answered, self.metrics, self.threshold)
        species = species_apcer(answered, self.threshold)
        if self.threshold is None:
            return _Measured(metrics, metrics, species)
        rates = answered.rates
        apcer, bpcer = float(rates.apcer(self.threshold)), float(rates.bpcer(self.threshold))
        worst = species.get(self.worst or "", nan)
        errors = {"apcer": apcer, "apcer_max": worst, "bpcer": bpcer, "acer_max": (worst + bpcer) / 2}
        return _Measured(metrics, {**metrics, **errors}, species)


def bootstrap_intervals(
    scores: ScoreTable,
    metrics: Sequence[BoundMetric],
    threshold: float | None,
    *,
    reject: RejectBand | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Intervals:
    """Return intervals of all metrics of one table; deterministic by seed. `reject`: the uncertain scores."""
    by, groups, count = choose_groups(scores)
    system = _System.of(scores, groups, metrics, threshold, reject)
    draws: list[_Measured] = []
    with console.progress("bootstrap", replicates, "replicates") as progress:
        for counts in draw_counts(count, replicates, seed):
            draws.append(system.measure_replicate(counts))
            progress.advance()
    values = system.measure()
    species = _bounds([draw.species for draw in draws], values.species)
    exact_species = {
        name: share_interval(values.species[name], system.groups.species[name], LEVEL)
        for name, (low, high) in species.items()
        if low == high
    }
    return Intervals(
        by,
        count,
        replicates,
        LEVEL,
        **_find_intervals([draw.metrics for draw in draws], values, [system], share_interval, 1.0),
        species=species | exact_species,
        exact_species=tuple(exact_species),
        worst=system.worst,
    )


def bootstrap_differences(
    scores: ScoreTable,
    reference: ScoreTable,
    metrics: Sequence[BoundMetric],
    thresholds: tuple[float | None, float | None],
    *,
    rejects: tuple[RejectBand | None, RejectBand | None] = (None, None),
    replicates: int = REPLICATES,
) -> Intervals:
    """Return intervals of each metric's difference to a reference, both computed on the same replicates.

    `thresholds` and `rejects` are of the scores and of the reference, whose ids may be in any order.

    Raises:
        DataError: the two do not hold the same samples.
    """
    by, groups, count = choose_groups(scores)
    tables = (scores, align_scores(reference, scores))
    pair = [
        _System.of(table, groups, metrics, threshold, reject)
        for table, threshold, reject in zip(tables, thresholds, rejects, strict=True)
    ]

    def subtract(first: Mapping[str, float | None], second: Mapping[str, float | None]) -> dict[str, float]:
        return {key: _number(value) - _number(second.get(key)) for key, value in first.items()}

    draws: list[dict[str, float]] = []
    with console.progress("paired bootstrap", replicates, "replicates") as progress:
        for counts in draw_counts(count, replicates, 0):
            replicate = [system.measure_replicate(counts).metrics for system in pair]
            draws.append(subtract(*replicate))
            progress.advance()
    measured = [system.measure() for system in pair]
    values = _Measured(measured[0].requested, subtract(*(item.metrics for item in measured)), {})
    figures = _find_intervals(draws, values, pair, difference_interval, 0.0)
    return Intervals(by, count, replicates, LEVEL, **figures)


def _find_intervals(
    draws: Sequence[Mapping[str, float | None]],
    values: _Measured,
    systems: Sequence[_System],
    interval: Callable[[float, int, float], Interval],
    offset: float,
) -> dict[str, Any]:
    """Return `figures`, `exact` and `partly_exact` of the intervals.

    Rates that do not vary are shares of the fewer groups of any system; other metrics that do not vary, and
    metrics without a value, have NaN. `offset`: see `fas_core.evaluation.exact.combine_limits`.
    """
    bounds = _bounds(draws, values.metrics)
    constant = [key for key, (low, high) in bounds.items() if low == high]
    exact = {
        key: interval(
            _number(values.metrics[key]), min(system.count_groups(key) for system in systems), LEVEL
        )
        for key in constant
        if is_rate(key)
    }
    bounds = bounds | dict.fromkeys(constant, (nan, nan)) | exact
    combined = combine_limits(bounds, exact, systems[0].attack_share, offset=offset)
    bounds |= combined
    defined = [key for key, value in values.requested.items() if not isnan(_number(value))]
    return {
        "figures": dict.fromkeys(values.requested, (nan, nan)) | {key: bounds[key] for key in defined},
        "exact": tuple(key for key in defined if key in exact),
        "partly_exact": tuple(key for key in defined if key in combined.keys() - exact.keys()),
    }


def _bounds(
    replicates: Sequence[Mapping[str, float | None]], values: Mapping[str, float | None]
) -> dict[str, Interval]:
    return {key: percentiles([draw.get(key) for draw in replicates], LEVEL) for key in values}


def _number(value: float | None) -> float:
    """NaN for the value of a metric that failed."""
    return nan if value is None else value
