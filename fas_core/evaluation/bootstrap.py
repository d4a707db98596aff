"""Percentile intervals of metrics, by bootstrap over subjects and not over their many frames.

Frames of one subject are not independent samples, so whole subjects are drawn with replacement
(videos where no subject is known; samples only when neither is, and then the result says so). The
threshold stays where dev put it: only the evaluated data vary. Efron and Tibshirani, An Introduction
to the Bootstrap, 1993, chapter 13; paired comparisons use the same draws for both systems.
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
from fas_core.evaluation.metrics import BoundMetric, compute_metrics, finite_or_none, species_apcer
from fas_core.scores.ranked import Counts
from fas_core.scores.table import ATTACK, LIVE, ScoreTable

Codes = NDArray[np.intp]

REPLICATES = 1000
"""Enough for the bounds of 95 % intervals; half a second for some thousands of samples."""

LEVEL = 0.95
GROUP_COLUMNS = ("subject", "video")
"""What is drawn: the first column that is known of every row."""


@frozen
class Intervals:
    """Percentile intervals of all metrics and of each PAI species' APCER, NaN where no replicate defines one.

    `by` is what was drawn (`subject`, `video` or `sample`), `groups` how many of them there are.
    """

    by: str
    groups: int
    replicates: int
    level: float
    figures: Mapping[str, tuple[float, float]]
    species: Mapping[str, tuple[float, float]] = field(factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        draws = {"level": self.level, "by": self.by, "groups": self.groups, "replicates": self.replicates}
        figures = {key: [*map(finite_or_none, bounds)] for key, bounds in self.figures.items()}
        species = {key: [*map(finite_or_none, bounds)] for key, bounds in self.species.items()}
        return {**draws, "figures": figures, "species": species}


@frozen(eq=False)
class Resampler:
    """Bootstrap replicates of one score table of N rows. Build one with `Resampler.of`.

    `groups` is (N,), the group of each row; `live`, `attack` and `species` are those of `scores.rates`.
    """

    scores: ScoreTable
    groups: Codes
    live: Codes
    attack: Codes
    species: Mapping[str, Codes]

    @classmethod
    def of(cls, scores: ScoreTable, groups: Codes) -> Resampler:
        """Sort once; every replicate is then a matter of counting."""
        values, labels = scores.scores, scores.labels

        def sorted_rows(label: int) -> Codes:
            rows = np.flatnonzero((labels == label) & ~np.isnan(values))
            return rows[np.argsort(values[rows], kind="stable")]

        attack = sorted_rows(ATTACK)
        names, codes = scores.encode_species()
        species = {
            name: groups[attack[codes[attack] == code]]
            for code, name in enumerate(names)
            if name in scores.rates.species
        }
        return cls(scores, groups, groups[sorted_rows(LIVE)], groups[attack], species)

    def resample(self, counts: Counts) -> ScoreTable:
        """Return the table with every sample of group g repeated `counts[g]` times."""
        species = {name: counts[groups] for name, groups in self.species.items()}
        rates = self.scores.rates.reweight(counts[self.live], counts[self.attack], species)

        def repeat_rows() -> pa.Table:
            return self.scores.table.take(np.repeat(np.arange(len(self.scores)), counts[self.groups]))

        return ScoreTable(repeat_rows, rates)


def bootstrap_intervals(
    scores: ScoreTable,
    metrics: Sequence[BoundMetric],
    threshold: float | None,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Intervals:
    """Return intervals of all metrics of one table; deterministic by seed."""
    by, groups, count = choose_groups(scores)
    resampler = Resampler.of(scores, groups)
    figures: list[Mapping[str, float]] = []
    species: list[Mapping[str, float]] = []
    for counts in draw_counts(count, replicates, seed):
        replicate = resampler.resample(counts)
        figures.append(compute_metrics(replicate, metrics, threshold))
        species.append(species_apcer(replicate, threshold))
    return Intervals(by, count, replicates, LEVEL, _bounds(figures), _bounds(species))


def bootstrap_differences(
    scores: ScoreTable,
    reference: ScoreTable,
    metrics: Sequence[BoundMetric],
    thresholds: tuple[float | None, float | None],
    *,
    replicates: int = REPLICATES,
) -> Intervals:
    """Return intervals of each metric's difference to a reference, both computed on the same replicates.

    `thresholds` are of the scores and of the reference, whose ids may be in any order.

    Raises:
        DataError: the two do not hold the same samples.
    """
    by, groups, count = choose_groups(scores)
    pair = [Resampler.of(table, groups) for table in (scores, align_scores(reference, scores))]
    differences: list[Mapping[str, float]] = []
    for counts in draw_counts(count, replicates, 0):
        values, reference_values = (
            compute_metrics(resampler.resample(counts), metrics, threshold)
            for resampler, threshold in zip(pair, thresholds, strict=True)
        )
        differences.append({key: values[key] - reference_values[key] for key in values})
    return Intervals(by, count, replicates, LEVEL, _bounds(differences))


def choose_groups(scores: ScoreTable) -> tuple[str, Codes, int]:
    """(what is drawn, (N,) the group of each row, the number of groups)."""
    by = next((name for name in GROUP_COLUMNS if len(scores) and not count_ungrouped(scores, name)), "sample")
    return by, *encode_groups(scores, by)


def count_ungrouped(scores: ScoreTable, by: str) -> int:
    """Count the rows whose group is not known."""
    return 0 if by == "sample" else int(scores.table.column(by).null_count)


def encode_groups(scores: ScoreTable, by: str) -> tuple[Codes, int]:
    """((N,) the group of each row, the number of groups), where every row's group is known."""
    if by == "sample":
        return np.arange(len(scores), dtype=np.intp), len(scores)
    column = scores.table.column(by)
    distinct = column.unique()
    return np.asarray(pc.index_in(column, distinct).to_numpy(), np.intp), len(distinct)


def align_scores(scores: ScoreTable, reference: ScoreTable) -> ScoreTable:
    """Return the scores in the row order of the reference.

    Raises:
        DataError: ids or labels of the two differ.
    """
    ids, reference_ids = scores.table.column("id"), reference.table.column("id")
    missing = reference_ids.filter(pc.invert(pc.is_in(reference_ids, ids))).to_pylist()
    extra = ids.filter(pc.invert(pc.is_in(ids, reference_ids))).to_pylist()
    if missing or extra:
        counts = f"{len(missing)} ids only in the first, {len(extra)} only in the second"
        names = format_list([*missing, *extra])
        raise DataError(f"the two score tables hold different samples: {counts}: {names}")
    aligned = ScoreTable(scores.table.take(pc.index_in(reference_ids, ids)))
    if wrong := np.flatnonzero(aligned.labels != reference.labels).tolist():
        names = format_list(reference_ids.take(wrong).to_pylist())
        raise DataError(f"the two score tables label {len(wrong)} samples differently: {names}")
    return aligned


def draw_counts(groups: int, replicates: int, seed: int | Sequence[int]) -> Iterator[Counts]:
    """Draw groups with replacement; yield (groups,) how often each was drawn, for every replicate."""
    generator = np.random.default_rng(seed)
    for _ in range(replicates):
        yield np.bincount(generator.integers(0, groups, groups), minlength=groups)


def percentiles(values: Iterable[float], level: float) -> tuple[float, float]:
    """The bounds that exclude equally many values on either side; NaN where no value is a number."""
    finite = [value for value in values if isfinite(value)]
    if not finite:
        return np.nan, np.nan
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _bounds(replicates: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    return {key: percentiles([values[key] for values in replicates], LEVEL) for key in replicates[0]}
