"""How sure a figure is: percentile intervals by bootstrap over people, not over their many frames.

Frames of one person are no independent samples, so whole subjects are drawn with replacement
(videos where no subject is known; samples only when neither is, and then the result says so). The
threshold stays where dev put it: what varies is the data that is judged. Efron and Tibshirani, An
Introduction to the Bootstrap, 1993, chapter 13; paired: the same draws for both systems.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen
from numpy.typing import NDArray

from fas_core.errors import DataError, format_list
from fas_core.evaluation.metrics import BoundMetric, compute, or_null, species_apcer
from fas_core.records.samples import ATTACK, LIVE
from fas_core.scores.ranked import Counts
from fas_core.scores.table import ScoreTable

Codes = NDArray[np.intp]

REPLICATES = 1000
"""Enough for the ends of 95 % intervals; half a second for some thousands of samples."""

GROUPED = ("subject", "video")
"""What is drawn, where it is known of every row: the first that is."""


@frozen
class Intervals:
    """Percentile intervals of every figure.

    Args:
        by: what was drawn: `subject`, `video` or `sample`.
        groups: how many of them there are.
        replicates: how often they were drawn.
        level: e.g. 0.95.
        figures: `{figure: (low, high)}`, NaN where it was never defined.
        species: likewise, the APCER of each species.
    """

    by: str
    groups: int
    replicates: int
    level: float
    figures: Mapping[str, tuple[float, float]]
    species: Mapping[str, tuple[float, float]] = field(factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        figures, species = (
            {key: [or_null(low), or_null(high)] for key, (low, high) in found.items()}
            for found in (self.figures, self.species)
        )
        return {
            "level": self.level,
            "by": self.by,
            "groups": self.groups,
            "replicates": self.replicates,
            "figures": figures,
            "species": species,
        }


@frozen(eq=False)
class Resampler:
    """Draws of one score table. Build one with `Resampler.of`.

    Args:
        scores: the table, N rows.
        groups: (N,) the group of each row.
        live: (L,) the groups of `scores.rates.live`, in its order.
        attack: (A,) likewise.
        species: `{name: (A_s,)}` likewise.
    """

    scores: ScoreTable
    groups: Codes
    live: Codes
    attack: Codes
    species: Mapping[str, Codes]

    @classmethod
    def of(cls, scores: ScoreTable, groups: Codes) -> Resampler:
        """Sort once; every draw is then a matter of counting."""
        values, labels = scores.scores, scores.labels
        responded = ~np.isnan(values)

        def ordered(label: int) -> NDArray[np.intp]:
            rows = np.flatnonzero((labels == label) & responded)
            return rows[np.argsort(values[rows], kind="stable")]

        live, attack = ordered(LIVE), ordered(ATTACK)
        names, codes = scores.species_codes()
        code = dict(zip(names, range(len(names)), strict=True))
        species = {name: groups[attack[codes[attack] == code[name]]] for name in scores.rates.species}
        return cls(scores, groups, groups[live], groups[attack], species)

    def draw(self, counts: Counts) -> ScoreTable:
        """The table in which every sample of group g stands `counts[g]` times."""
        species = {name: counts[codes] for name, codes in self.species.items()}
        rates = self.scores.rates.weighted(counts[self.live], counts[self.attack], species)
        return ScoreTable(lambda: self._rows(counts), rates)

    def _rows(self, counts: Counts) -> pa.Table:
        repeated = np.repeat(np.arange(len(self.scores)), counts[self.groups])
        return self.scores.table.take(pa.array(repeated))


def intervals(
    scores: ScoreTable,
    metrics: Sequence[BoundMetric],
    threshold: float | None,
    *,
    replicates: int = REPLICATES,
    level: float = 0.95,
    seed: int = 0,
) -> Intervals:
    """Intervals of every figure of one table; deterministic by seed."""
    by, groups, count = grouping(scores)
    resampler = Resampler.of(scores, groups)
    figures: list[Mapping[str, float]] = []
    species: list[Mapping[str, float]] = []
    for counts in draws(count, replicates, seed):
        drawn = resampler.draw(counts)
        figures.append(compute(drawn, metrics, threshold))
        species.append(species_apcer(drawn, threshold))
    return Intervals(by, count, replicates, level, _ends(figures, level), _ends(species, level))


def differences(
    ours: ScoreTable,
    theirs: ScoreTable,
    metrics: Sequence[BoundMetric],
    thresholds: tuple[float | None, float | None],
    *,
    replicates: int = REPLICATES,
    level: float = 0.95,
    seed: int = 0,
) -> Intervals:
    """Intervals of ours minus theirs, figure by figure, both judged on the same draws.

    Args:
        ours: N scores.
        theirs: of the same ids, in any order.
        metrics: what is compared.
        thresholds: of ours and theirs.

    Raises:
        DataError: the two do not hold the same samples.
    """
    theirs = aligned(theirs, ours)
    by, groups, count = grouping(ours)
    pair = [Resampler.of(scores, groups) for scores in (ours, theirs)]
    drawn: list[Mapping[str, float]] = []
    for counts in draws(count, replicates, seed):
        mine, other = (
            compute(resampler.draw(counts), metrics, threshold)
            for resampler, threshold in zip(pair, thresholds, strict=True)
        )
        drawn.append({key: mine[key] - other[key] for key in mine})
    return Intervals(by, count, replicates, level, _ends(drawn, level))


def grouping(scores: ScoreTable) -> tuple[str, Codes, int]:
    """(what is drawn, (N,) the group of each row, how many groups there are)."""
    by = next((name for name in GROUPED if len(scores) and not lacking(scores, name)), "sample")
    return by, *groups_by(scores, by)


def lacking(scores: ScoreTable, by: str) -> int:
    """Of how many rows it is not known which group they are in."""
    return 0 if by == "sample" else int(scores.table.column(by).null_count)


def groups_by(scores: ScoreTable, by: str) -> tuple[Codes, int]:
    """((N,) the group of each row, how many groups there are), where all of them are known."""
    if by == "sample":
        return np.arange(len(scores), dtype=np.intp), len(scores)
    column = scores.table.column(by)
    distinct = column.unique()
    return np.asarray(pc.index_in(column, distinct).to_numpy(), np.intp), len(distinct)


def aligned(scores: ScoreTable, like: ScoreTable) -> ScoreTable:
    """The same scores in the row order of `like`.

    Raises:
        DataError: ids or labels of the two differ.
    """
    theirs, ours = scores.table.column("id"), like.table.column("id")
    missing = ours.filter(pc.invert(pc.is_in(ours, theirs))).to_pylist()
    extra = theirs.filter(pc.invert(pc.is_in(theirs, ours))).to_pylist()
    if missing or extra:
        raise DataError(
            f"the two score tables hold different samples: {len(missing)} ids only in the first, "
            f"{len(extra)} only in the second: {format_list([*missing, *extra])}"
        )
    found = ScoreTable(scores.table.take(pc.index_in(ours, theirs)))
    if wrong := np.flatnonzero(found.labels != like.labels).tolist():
        raise DataError(
            f"the two score tables label {len(wrong)} samples differently: "
            f"{format_list([ours[row].as_py() for row in wrong])}"
        )
    return found


def draws(groups: int, replicates: int, seed: int | Sequence[int]) -> Iterator[Counts]:
    """(groups,) how often each is drawn, for every replicate."""
    generator = np.random.default_rng(seed)
    for _ in range(replicates):
        yield np.bincount(generator.integers(0, groups, groups), minlength=groups)


def _ends(drawn: Sequence[Mapping[str, float]], level: float) -> dict[str, tuple[float, float]]:
    return {key: percentiles([found[key] for found in drawn], level) for key in drawn[0]}


def percentiles(values: Iterable[float], level: float) -> tuple[float, float]:
    """The ends that leave out as much on either side; NaN where no value is a number."""
    defined = [value for value in values if isfinite(value)]
    if not defined:
        return np.nan, np.nan
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
