"""How surely two periods differ: by what else would come of dividing their groups into two at random.

If nothing has changed, which groups (people, videos or samples) are of the old period and which of the
new one is chance, and any other division into so many and so many might as well have been seen. The share
of random divisions that differ at least as much is then the p-value, for any number of groups of whatever
size: E. S. Edgington, Randomization Tests, 1980. The division that was seen is counted among them, so
that none is 0: B. Phipson and G. K. Smyth, Permutation p-values should never be zero, 2010,
arXiv 1603.05766.
"""

from __future__ import annotations

from math import lgamma, log

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.scores.ranked import Floats, Positions

ROUNDING = 1e-12
"""So much less than what was seen is not less: equal shares may be computed from other numbers."""

BLOCK = 2**21
"""Scores that are looked at together: many divisions of small files, one of a large file."""

Divisions = NDArray[np.bool_]
"""(B, G) which groups are new in each of B divisions."""


@frozen(eq=False)
class Divisible:
    """Scores and counts of G groups, the old ones before the new ones.

    Args:
        old: how many groups are old.
        groups: (M,) the group of each score, by ascending score; what has none is not among them.
        last: (T,) where each of the T distinct scores occurs last.
        counted: (G, K) of each group, how many samples each of K rates is of.
        hits: (G, K) how many of those it counts.
    """

    old: int
    groups: Positions
    last: Positions
    counted: Floats
    hits: Floats

    @classmethod
    def of(cls, scores: Floats, groups: Positions, old: int, counted: Floats, hits: Floats) -> Divisible:
        """From scores (N,) in any order, NaN for none, and the group of each."""
        rows = np.flatnonzero(~np.isnan(scores))
        rows = rows[np.argsort(scores[rows], kind="stable")]
        ordered = scores[rows]
        last = np.flatnonzero(np.append(ordered[1:] > ordered[:-1], True))
        return cls(old, groups[rows], last, counted, hits)

    @property
    def actual(self) -> Divisions:
        """(1, G) the division that was seen."""
        return (np.arange(len(self.counted)) >= self.old)[None]

    def differences(self, new: Divisions) -> Floats:
        """(B, 1 + K) how far the distribution functions are apart, and new minus old of each rate.

        NaN where one side has nothing to count.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            below = np.cumsum(new[:, self.groups], axis=1, dtype=np.int64)[:, self.last]
            mine = below[:, -1:]
            rest = len(self.groups) - mine
            distance = np.abs(below / mine - (self.last + 1 - below) / rest).max(axis=1)
            weights = new.astype(np.float64)
            hits, counted = weights @ self.hits, weights @ self.counted
            rates = hits / counted - (self.hits.sum(axis=0) - hits) / (self.counted.sum(axis=0) - counted)
        return np.column_stack([distance, rates])

    def p_values(self, replicates: int, seed: int) -> Floats:
        """(1 + K,) the share of divisions, the seen one among them, that differ at least as much.

        A division of which a difference is not defined counts as one that does.
        """
        generator = np.random.default_rng(seed)
        seen = np.abs(self.differences(self.actual)) - ROUNDING
        size = max(BLOCK // max(len(self.counted), len(self.groups)), 1)
        as_much = np.ones(seen.shape[1])
        for start in range(0, replicates, size):
            same = np.repeat(self.actual, min(size, replicates - start), axis=0)
            found = self.differences(generator.permuted(same, axis=1))
            as_much += (~(np.abs(found) < seen)).sum(axis=0)
        return np.asarray(as_much / (replicates + 1))


def least_p(old: int, new: int) -> float:
    """The smallest p-value that so many groups can have, however much the two differ."""
    ways = lgamma(old + new + 1) - lgamma(old + 1) - lgamma(new + 1)
    mirrored = log(2) if old == new else 0.0  # the division the other way round differs as much
    return float(np.exp(min(mirrored - ways, 0.0)))
