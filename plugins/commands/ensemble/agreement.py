"""How differently systems score the same samples: an ensemble gains nothing from members that agree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from attrs import frozen

from fas_core.evaluation.formatting import percent, plain
from fas_core.scores.ranked import Floats
from fas_core.text_table import Table


@frozen
class Agreement:
    """How alike two systems score the same samples.

    Args:
        first, second: names of the systems.
        pearson: correlation of the scores; NaN where one system gives all samples the same score.
        spearman: correlation of the ranks; equal scores share their mean rank.
        disagreement: fraction of samples that only one system accepts, each at its own threshold; NaN where
            a threshold is missing.
    """

    first: str
    second: str
    pearson: float
    spearman: float
    disagreement: float


def measure_agreement(
    names: Sequence[str], scores: Floats, thresholds: Sequence[float | None]
) -> list[Agreement]:
    """Compare every pair of systems on the samples that both have a score for.

    Args:
        names: K names.
        scores: (K, N).
        thresholds: K thresholds; a sample is accepted when `score >= threshold`.
    """
    agreements = []
    for (i, first), (j, second) in combinations(enumerate(names), 2):
        pair = scores[[i, j]]
        pair = pair[:, ~np.isnan(pair).any(axis=0)]
        threshold, other = thresholds[i], thresholds[j]
        disagreement = np.nan
        if pair.size and threshold is not None and other is not None:
            disagreement = float(((pair[0] >= threshold) != (pair[1] >= other)).mean())
        ranks = np.stack([_rank(row) for row in pair])
        agreements.append(Agreement(first, second, _correlate(pair), _correlate(ranks), disagreement))
    return agreements


def agreement_table(agreements: Sequence[Agreement]) -> Table:
    """The table for the console, one pair a row."""
    return Table(
        title="How alike the members are",
        columns=("", "", "Pearson", "Spearman", "Disagreement in %"),
        rows=[
            (pair.first, pair.second, plain(pair.pearson), plain(pair.spearman), percent(pair.disagreement))
            for pair in agreements
        ],
        note="correlation of scores, of ranks; samples that only one of the two accepts",
        left=(0, 1),
    )


def _correlate(pair: Floats) -> float:
    """Return Pearson's r of two rows (2, N); NaN where one of them is constant."""
    if not pair.size or (pair == pair[:, :1]).all(axis=1).any():
        return np.nan
    return float(np.corrcoef(pair[0], pair[1]).item(1))


def _rank(row: Floats) -> Floats:
    """Return the ranks (N,) from 1; equal numbers share the mean of their ranks."""
    _, index, counts = np.unique(row, return_inverse=True, return_counts=True)
    return np.asarray((counts.cumsum() - (counts - 1) / 2)[index])
