"""The rows of two periods in groups: which rows each rate counts, and bootstrap draws of the groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.console import console
from fas_core.errors import DataError
from fas_core.evaluation.bootstrap import GROUP_COLUMNS, Codes, count_ungrouped, draw_counts, encode_groups
from fas_core.records.samples import ATTACK, LIVE
from fas_core.scores.ranked import Floats
from fas_core.scores.rates import ErrorRates
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.drift.permutation import PermutationTest

Mask: TypeAlias = NDArray[np.bool_]

RATES = ("rejected", "uncertain", "no_score", "apcer", "bpcer")


@frozen(eq=False)
class RateRows:
    """The rows of one rate.

    Args:
        total: (N,) the rows in its denominator.
        hits: (N,) those of them in its numerator.
    """

    total: Mask
    hits: Mask


@frozen(eq=False)
class PeriodRows:
    """The N rows of one period.

    Args:
        scores: (N,) NaN for none.
        groups: (N,) the group of each row.
        count: G, the number of groups.
        rates: by name: `no_score`; with a threshold also `rejected`, `apcer` and `bpcer`; with a band of
            uncertain scores around it also `uncertain`.
    """

    scores: Floats
    groups: Codes
    count: int
    rates: Mapping[str, RateRows]

    @classmethod
    def of(
        cls, scores: ScoreTable, by: str, threshold: float | None, reject: RejectBand | None = None
    ) -> PeriodRows:
        """Group the rows of a table by a column that is known for all of them."""
        return cls(scores.scores, *encode_groups(scores, by), _find_rate_rows(scores, threshold, reject))

    def count_by_group(self, names: Sequence[str]) -> tuple[Floats, Floats]:
        """Return the totals (G, K) and the hits (G, K) of each group for K rates."""
        totals, hits = np.zeros((2, self.count, len(names)))
        for column, name in enumerate(names):
            totals[:, column] = np.bincount(self.groups, self.rates[name].total, self.count)
            hits[:, column] = np.bincount(self.groups, self.rates[name].hits, self.count)
        return totals, hits

    def count_groups(self, name: str) -> int:
        """Count the groups with samples in the denominator of a rate."""
        return len(np.unique(self.groups[self.rates[name].total]))

    def groups_by_score(self) -> Codes:
        """The groups (M,) of the rows that have a score, in ascending order of the scores."""
        rows = np.flatnonzero(~np.isnan(self.scores))
        return self.groups[rows[np.argsort(self.scores[rows], kind="stable")]]


def _find_rate_rows(
    scores: ScoreTable, threshold: float | None, reject: RejectBand | None
) -> dict[str, RateRows]:
    values, labels = scores.scores, scores.labels
    scored = ~np.isnan(values)
    rates = {"no_score": RateRows(np.ones(len(values), np.bool_), ~scored)}
    if threshold is not None:
        rejected, answered = values < (threshold if reject is None else reject.low), scored
        if reject is not None:
            uncertain = (values >= reject.low) & (values < reject.high)
            answered = scored & ~uncertain
            rates["uncertain"] = RateRows(scored, uncertain)
        live, attack = answered & (labels == LIVE), answered & (labels == ATTACK)
        rates["rejected"] = RateRows(scored, rejected)
        rates["apcer"] = RateRows(attack, attack & ~rejected)
        rates["bpcer"] = RateRows(live, live & rejected)
    return rates


def choose_unit(periods: Mapping[str, ScoreTable], by: str | None) -> str:
    """Return what counts as independent: `by`, else the first column known for all rows, else `sample`.

    Raises:
        DataError: `by` is not known for all rows.
    """
    if by is None:
        tables = periods.values()
        known = [name for name in GROUP_COLUMNS if not any(count_ungrouped(t, name) for t in tables)]
        return (*known, "sample")[0]
    for name, scores in periods.items():
        if missing := count_ungrouped(scores, by):
            raise DataError(f"--by {by}: of {missing} of the {len(scores)} rows of {name} no {by} is known")
    return by


def find_comparable_rates(old: PeriodRows, new: PeriodRows) -> tuple[str, ...]:
    """Return the rates that both periods have; `no_score` only where a row has no score."""

    def is_comparable(name: str) -> bool:
        pair = [rows.rates[name] for rows in (old, new) if name in rows.rates]
        if name == "no_score":
            return any(rate.hits.any() for rate in pair)
        return len(pair) == 2 and all(rate.total.any() for rate in pair)

    return tuple(filter(is_comparable, RATES))


def build_permutation_test(old: PeriodRows, new: PeriodRows, rates: Sequence[str]) -> PermutationTest:
    """Join the groups of both periods, so that they can be divided at random."""
    (old_totals, old_hits), (new_totals, new_hits) = old.count_by_group(rates), new.count_by_group(rates)
    return PermutationTest.of(
        np.concatenate([old.scores, new.scores]),
        np.concatenate([old.groups, new.groups + old.count]),
        old.count,
        np.concatenate([old_totals, new_totals]),
        np.concatenate([old_hits, new_hits]),
    )


@frozen(eq=False)
class BootstrapDraws:
    """What R bootstrap draws give; each period's groups are drawn with replacement, separately.

    Args:
        exceeds: (R,) the chance that a new score exceeds an old one, ties counting half.
        rates: (R, 2, K) each rate of the old and of the new period; NaN where a draw has no such rows.
    """

    exceeds: Floats
    rates: Floats

    @classmethod
    def of(
        cls, old: PeriodRows, new: PeriodRows, rates: Sequence[str], replicates: int, seed: int
    ) -> BootstrapDraws:
        """Draw the groups of both periods; deterministic by seed."""
        scores = ErrorRates.of(new.scores, old.scores, {})
        groups = old.groups_by_score(), new.groups_by_score()
        counts = old.count_by_group(rates), new.count_by_group(rates)
        exceeds, values = np.empty(replicates), np.empty((replicates, 2, len(rates)))
        periods = [
            draw_counts(rows.count, replicates, [seed, period]) for period, rows in enumerate((old, new))
        ]
        with console.progress("bootstrap", replicates, "replicates") as progress:
            for replicate, weights in enumerate(zip(*periods, strict=True)):
                weighted = scores.reweight(weights[1][groups[1]], weights[0][groups[0]], {})
                exceeds[replicate] = weighted.auc()
                for period, (totals, hits) in enumerate(counts):
                    with np.errstate(invalid="ignore"):
                        values[replicate, period] = weights[period] @ hits / (weights[period] @ totals)
                progress.advance()
        return cls(exceeds, values)
