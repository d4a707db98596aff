"""Two periods of scores, in groups: which rows a rate is of and which it counts; draws of the groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.errors import DataError
from fas_core.evaluation.bootstrap import GROUP_COLUMNS, Codes, count_ungrouped, draw_counts, encode_groups
from fas_core.records.samples import ATTACK, LIVE
from fas_core.scores.ranked import Floats
from fas_core.scores.rates import ErrorRates
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.drift.permutation import Divisible

Mask: TypeAlias = NDArray[np.bool_]
Event = tuple[Mask, Mask]
"""((N,) the rows that a rate is of, (N,) those of them that it counts)."""


@frozen(eq=False)
class Rows:
    """The N rows of one period.

    Args:
        scores: (N,) NaN for none.
        groups: (N,) the group of each row.
        count: G, how many groups there are.
        events: by the rate's name: `no_score`; with a threshold `rejected`, `apcer` and `bpcer`.
    """

    scores: Floats
    groups: Codes
    count: int
    events: Mapping[str, Event]

    @classmethod
    def of(cls, scores: ScoreTable, by: str, cut: float | None) -> Rows:
        """Of a table all of whose rows are in groups; `cut` is the threshold, if there is one."""
        return cls(scores.scores, *encode_groups(scores, by), _events(scores, cut))

    def sums(self, kinds: Sequence[str]) -> tuple[Floats, Floats]:
        """((G, K) of how many of a group's rows each rate is, (G, K) how many of those it counts)."""
        found = [
            np.stack([self._in_groups(self.events[kind][part]) for kind in kinds], axis=1)
            if kinds
            else np.zeros((self.count, 0))
            for part in (0, 1)
        ]
        return found[0], found[1]

    def by_score(self) -> Codes:
        """(M,) the groups of the rows that have a score, by ascending score."""
        rows = np.flatnonzero(~np.isnan(self.scores))
        return self.groups[rows[np.argsort(self.scores[rows], kind="stable")]]

    def _in_groups(self, mask: Mask) -> Floats:
        return np.asarray(np.bincount(self.groups, mask, self.count), np.float64)


def _events(scores: ScoreTable, cut: float | None) -> dict[str, Event]:
    values, labels = scores.scores, scores.labels
    scored = ~np.isnan(values)
    found = {"no_score": (np.ones(len(values), np.bool_), ~scored)}
    if cut is not None:
        live, attack = scored & (labels == LIVE), scored & (labels == ATTACK)
        below = values < cut
        found["rejected"] = (scored, below)
        found |= {"apcer": (attack, attack & ~below), "bpcer": (live, live & below)}
    return found


def unit(periods: Mapping[str, ScoreTable], by: str | None) -> str:
    """What is independent: as told, else the first of `GROUP_COLUMNS` that all rows have, else `sample`.

    Raises:
        DataError: rows of which that is not known.
    """
    if by is None:
        tables = periods.values()
        known = [name for name in GROUP_COLUMNS if not any(count_ungrouped(t, name) for t in tables)]
        return (*known, "sample")[0]
    for name, scores in periods.items():
        if missing := count_ungrouped(scores, by):
            raise DataError(f"--by {by}: of {missing} of the {len(scores)} rows of {name} no {by} is known")
    return by


def comparable(old: Rows, new: Rows) -> tuple[str, ...]:
    """The rates that both periods have, the failures to respond only where there are any."""
    order = ("rejected", "no_score", "apcer", "bpcer")
    kinds = [kind for kind in order if all(kind in rows.events for rows in (old, new))]
    silent = any(rows.events["no_score"][1].any() for rows in (old, new))
    return tuple(
        kind
        for kind in kinds
        if (silent if kind == "no_score" else all(rows.events[kind][0].any() for rows in (old, new)))
    )


def divisible(old: Rows, new: Rows, kinds: Sequence[str]) -> Divisible:
    """The groups of both in one line, to be divided anew."""
    (of_old, hits_old), (of_new, hits_new) = old.sums(kinds), new.sums(kinds)
    return Divisible.of(
        np.concatenate([old.scores, new.scores]),
        np.concatenate([old.groups, new.groups + old.count]),
        old.count,
        np.concatenate([of_old, of_new]),
        np.concatenate([hits_old, hits_new]),
    )


@frozen(eq=False)
class Draws:
    """R draws of both periods' groups, each period's for itself.

    Args:
        exceeds: (R,) the chance that a new score exceeds an old one, ties counting half.
        rates: (R, 2, K) each rate of the old and of the new period.
    """

    exceeds: Floats
    rates: Floats

    @classmethod
    def of(cls, old: Rows, new: Rows, kinds: Sequence[str], replicates: int, seed: int) -> Draws:
        """With replacement; what a draw does not define is NaN."""
        scores = ErrorRates.of(new.scores, old.scores, {})
        groups, sums = (old.by_score(), new.by_score()), (old.sums(kinds), new.sums(kinds))
        exceeds, rates = np.empty(replicates), np.empty((replicates, 2, len(kinds)))
        drawn = [draw_counts(rows.count, replicates, [seed, part]) for part, rows in enumerate((old, new))]
        for at, pair in enumerate(zip(*drawn, strict=True)):
            exceeds[at] = scores.reweight(pair[1][groups[1]], pair[0][groups[0]], {}).auc()
            for part, (of, hits) in enumerate(sums):
                with np.errstate(invalid="ignore"):
                    rates[at, part] = pair[part] @ hits / (pair[part] @ of)
        return cls(exceeds, rates)
