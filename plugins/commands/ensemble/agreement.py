"""How differently systems score the same samples: an ensemble gains nothing from members that agree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from attrs import frozen

from fas_core.console import Table
from fas_core.evaluation.tables import percent, plain
from fas_core.scores.ranked import Floats


@frozen
class Agreement:
    """How alike two systems score the same samples.

    Args:
        pearson: correlation of the scores; NaN where one of the two gives all samples the same score.
        spearman: correlation of their ranks, ties sharing their mean rank.
        disagreement: fraction of samples that only one of them accepts, each at its own threshold; NaN
            where either has none.
    """

    first: str
    second: str
    pearson: float
    spearman: float
    disagreement: float


def agreements(names: Sequence[str], scores: Floats, thresholds: Sequence[float | None]) -> list[Agreement]:
    """Every pair of systems, over the samples that both have a score for.

    Args:
        names: K of them.
        scores: (K, N).
        thresholds: of each, accepted when `score >= threshold`.
    """
    found = []
    for (one, name), (two, other) in combinations(enumerate(names), 2):
        pair = scores[[one, two]]
        pair = pair[:, ~np.isnan(pair).any(axis=0)]
        cuts = thresholds[one], thresholds[two]
        apart = np.nan
        if pair.size and None not in cuts:
            apart = float(((pair[0] >= cuts[0]) != (pair[1] >= cuts[1])).mean())
        ranks = np.stack([_ranks(row) for row in pair])
        found.append(Agreement(name, other, _correlation(pair), _correlation(ranks), apart))
    return found


def agreement_table(found: Sequence[Agreement]) -> Table:
    """A row a pair."""
    return Table(
        title="How alike the members are",
        columns=("", "", "Pearson", "Spearman", "Disagreement in %"),
        rows=[
            (pair.first, pair.second, plain(pair.pearson), plain(pair.spearman), percent(pair.disagreement))
            for pair in found
        ],
        note="correlation of scores, of ranks; samples that only one of the two accepts",
        left=(0, 1),
    )


def _correlation(pair: Floats) -> float:
    """Pearson's r of two rows; NaN where one does not vary."""
    if not pair.size or (pair == pair[:, :1]).all(axis=1).any():
        return np.nan
    return float(np.corrcoef(pair[0], pair[1]).item(1))


def _ranks(row: Floats) -> Floats:
    """(N,) from 1; equal numbers share the mean of their ranks."""
    _, place, counts = np.unique(row, return_inverse=True, return_counts=True)
    return np.asarray((counts.cumsum() - (counts - 1) / 2)[place])
