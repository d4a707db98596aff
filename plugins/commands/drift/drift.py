"""Compare two periods (or cameras) of a deployed model's scores: have they shifted, and by how much?

None of it needs labels, which a deployed model does not have:

- the largest distance of the two distribution functions (Kolmogorov and Smirnov): any change of the scores
  moves it, and it is at least as large as the change of the rejection rate at any threshold;
- the chance that a new score exceeds an old one, ties counting half, which gives size and direction of a
  shift: H. B. Mann and D. R. Whitney, On a test of whether one of two random variables is stochastically
  larger than the other, Annals of Mathematical Statistics 18, 1947;
- the rejection rate, the share of samples with `score < threshold`; with a band of uncertain scores the
  share below the band, and that in it; and the share without a score;
- with labels also APCER and BPCER.

A permutation test decides what has changed (`fas_plugins.commands.drift.permutation`). Intervals give the
size: Wilson's and Newcombe's for rates of independent samples, else percentiles of a bootstrap over whole
subjects or videos of each period, or exact ones over these where no draw differs, as for a rate of 0. Each of
k tests uses a k-th of the significance level, and intervals are as wide (Bonferroni): the chance of any false
alarm is at most the level, and the intervals hold together.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from attrs import frozen

from fas_core.errors import ConfigError, DataError
from fas_core.evaluation.bootstrap import REPLICATES, percentiles
from fas_core.evaluation.exact import share_interval
from fas_core.scores.ranked import Floats
from fas_core.scores.rates import ErrorRates
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.drift.periods import (
    BootstrapDraws,
    PeriodRows,
    build_permutation_test,
    choose_unit,
    find_comparable_rates,
)
from fas_plugins.commands.drift.permutation import ROUNDING, smallest_p_value
from fas_plugins.commands.drift.proportions import (
    Interval,
    combine_intervals,
    newcombe_interval,
    wilson_interval,
)
from fas_plugins.commands.drift.result import Change, Drift, Period, Share, Shift

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


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
    """Compare the scores of two periods; deterministic by seed.

    Args:
        old, new: the two periods; labels are used where both have them.
        threshold: scores below it are rejected; None for no rates that need one.
        names: what the periods are called.
        by: what counts as independent: `subject`, `video` or `sample`; None for the first known of all rows.
        significance: the chance of any false alarm, in (0, 1).
        replicates: number of random divisions, and of bootstrap draws.
        seed: of both.

    Raises:
        DataError: a period has no scores, or `by` is not known for all rows.
        ConfigError: there are too few replicates for the significance level.
    """
    periods = dict(zip(names, (old, new), strict=True))
    _refuse_unscored(periods)
    by = choose_unit(periods, by)
    rule = (None, None) if threshold is None else (threshold.value, threshold.reject)
    old_rows, new_rows = PeriodRows.of(old, by, *rule), PeriodRows.of(new, by, *rule)
    rates = find_comparable_rates(old_rows, new_rows)
    level = _divide_level(significance, 1 + len(rates), replicates)
    tests = _run_tests(old_rows, new_rows, rates, level, replicates, seed)
    draws = BootstrapDraws.of(old_rows, new_rows, rates, replicates, seed)
    changes = {}
    for column, name in enumerate(rates):
        rate_draws = None if by == "sample" else draws.rates[:, :, column]
        shares = _measure_rate(name, old_rows, new_rows, rate_draws, 1 - level)
        p = tests.p_values[1 + column]
        changes[name] = Change(*shares, p, tests.is_clear(p))
    exceeds = ErrorRates.of(new.scores, old.scores, {}).auc()
    scored_groups = [len(np.unique(rows.groups_by_score())) for rows in (old_rows, new_rows)]
    interval, exact = _find_interval(draws.exceeds, exceeds, min(scored_groups), 1 - level)
    return Drift(
        old=_describe_period(names[0], old_rows),
        new=_describe_period(names[1], new_rows),
        by=by,
        threshold=threshold,
        significance=significance,
        test_level=level,
        replicates=replicates,
        shift=Shift(
            distance=tests.distance,
            p=tests.p_values[0],
            clear=tests.is_clear(tests.p_values[0]),
            exceeds=exceeds,
            interval=interval,
            exact=exact,
        ),
        changes=changes,
        decidable=tests.decidable,
    )


@frozen
class _Tests:
    """The p-values of the scores' distance and of each rate, and the level they are tested at."""

    distance: float
    p_values: list[float]
    limit: float
    decidable: bool

    def is_clear(self, p: float) -> bool:
        # A p-value estimated from random divisions may be smaller than the smallest possible one.
        return self.decidable and p <= self.limit


def _run_tests(
    old: PeriodRows, new: PeriodRows, rates: tuple[str, ...], level: float, replicates: int, seed: int
) -> _Tests:
    limit = level * (1 + ROUNDING)
    test = build_permutation_test(old, new, rates)
    return _Tests(
        distance=float(test.compute_differences(test.observed)[0, 0]),
        p_values=test.compute_p_values(replicates, seed).tolist(),
        limit=limit,
        decidable=smallest_p_value(old.count, new.count) <= limit,
    )


def _refuse_unscored(periods: dict[str, ScoreTable]) -> None:
    for name, scores in periods.items():
        if np.isnan(scores.scores).all():
            raise DataError(f"{name}: none of its {len(scores)} rows has a score: nothing to compare")


def _divide_level(significance: float, tests: int, replicates: int) -> float:
    """Return the significance level of each test.

    Raises:
        ConfigError: so few replicates cannot give so small a p-value.
    """
    level = significance / tests
    if level * (1 + ROUNDING) * (replicates + 1) < 1:
        least = ceil(tests / significance - ROUNDING) - 1
        raise ConfigError(
            f"--replicates {replicates}: too few for a significance level of {significance:g}, which is "
            f"{level:.3g} for each of {tests} changes: give at least {least}"
        )
    return level


def _measure_rate(
    name: str, old: PeriodRows, new: PeriodRows, draws: Floats | None, level: float
) -> tuple[Share, Share, Interval]:
    """Return one rate in both periods, and the interval of its change.

    Args:
        name: the rate.
        old, new: the periods.
        draws: (R, 2) bootstrap draws of the rate; None where samples are independent.
        level: of the intervals.
    """
    counts = [(int(rate.hits.sum()), int(rate.total.sum())) for rate in (old.rates[name], new.rates[name])]
    if draws is None:
        intervals = [wilson_interval(*count, level) for count in counts]
        first, second = (Share(*count, interval) for count, interval in zip(counts, intervals, strict=True))
        return first, second, newcombe_interval(counts[1], counts[0], level)
    first, second = (
        Share(*count, *_find_interval(draws[:, period], count[0] / count[1], rows.count_groups(name), level))
        for period, (count, rows) in enumerate(zip(counts, (old, new), strict=True))
    )
    if first.exact or second.exact:
        return first, second, combine_intervals(second.rate, second.interval, first.rate, first.interval)
    return first, second, percentiles(draws[:, 1] - draws[:, 0], level)


def _find_interval(draws: Floats, rate: float, groups: int, level: float) -> tuple[Interval, bool]:
    """Return the percentiles of the draws, or where these are equal the exact interval; and whether it is."""
    low, high = percentiles(draws, level)
    if low == high:
        return share_interval(rate, groups, level), True
    return (low, high), False


def _describe_period(name: str, rows: PeriodRows) -> Period:
    scored = rows.scores[~np.isnan(rows.scores)]
    # Scores that occur, not means of two: the mean of two infinities is not defined.
    quantiles = np.quantile(scored, QUANTILES, method="inverted_cdf").tolist()
    return Period(name, len(rows.scores), rows.count, dict(zip(QUANTILES, quantiles, strict=True)))
