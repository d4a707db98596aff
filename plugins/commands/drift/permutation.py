"""Permutation test: how likely is a difference between two periods if nothing has changed?

If nothing has changed, it is chance which groups (subjects, videos or samples) belong to the old period and
which to the new one; any other division into as many and as many was as likely. The p-value is the share of
random divisions whose difference is at least as large, for any number of groups of any size: E. S. Edgington,
Randomization Tests, 1980. The observed division counts as one of them, so that no p-value is 0: B. Phipson
and G. K. Smyth, Permutation p-values should never be zero, 2010, arXiv 1603.05766.
"""

from __future__ import annotations

from math import lgamma, log

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.console import console
from fas_core.scores.ranked import Floats, Positions

ROUNDING = 1e-12
"""A difference this much smaller than the observed one counts as equal: rounding depends on the order."""

BLOCK = 2**21
"""Scores processed at once: many divisions of small files, one of a large file."""

Divisions = NDArray[np.bool_]
"""(B, G) for B divisions, whether each group is in the new period."""


@frozen(eq=False)
class PermutationTest:
    """Scores, and totals and hits of K rates, of G groups; the old period's groups come first.

    Args:
        old: number of old groups.
        groups: (M,) the group of each score, in ascending order of the scores; rows without a score are
            left out.
        last: (T,) the last position of each of the T distinct scores.
        totals: (G, K) samples of each group in the denominator of each rate.
        hits: (G, K) samples of each group in the numerator.
    """

    old: int
    groups: Positions
    last: Positions
    totals: Floats
    hits: Floats

    @classmethod
    def of(cls, scores: Floats, groups: Positions, old: int, totals: Floats, hits: Floats) -> PermutationTest:
        """Build the test from scores (N,) in any order, NaN for none, and the group of each (N,)."""
        rows = np.flatnonzero(~np.isnan(scores))
        rows = rows[np.argsort(scores[rows], kind="stable")]
        ordered = scores[rows]
        last = np.flatnonzero(np.append(ordered[1:] > ordered[:-1], True))
        return cls(old, groups[rows], last, totals, hits)

    @property
    def observed(self) -> Divisions:
        """The observed division, (1, G)."""
        return (np.arange(len(self.totals)) >= self.old)[None]

    def compute_differences(self, divisions: Divisions) -> Floats:
        """Return (B, 1 + K): the distance of the distribution functions, and new minus old of each rate.

        NaN where one side has no samples.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            new_below = np.cumsum(divisions[:, self.groups], axis=1, dtype=np.int64)[:, self.last]
            new_count = new_below[:, -1:]
            old_below, old_count = self.last + 1 - new_below, len(self.groups) - new_count
            distance = np.abs(new_below / new_count - old_below / old_count).max(axis=1)
            is_new = divisions.astype(np.float64)
            hits, totals = is_new @ self.hits, is_new @ self.totals
            old_rates = (self.hits.sum(axis=0) - hits) / (self.totals.sum(axis=0) - totals)
            rates = hits / totals - old_rates
        return np.column_stack([distance, rates])

    def compute_p_values(self, replicates: int, seed: int) -> Floats:
        """Return (1 + K,) the share of divisions, the observed one included, that differ at least as much.

        A division without a defined difference counts as one that does.
        """
        generator = np.random.default_rng(seed)
        observed = np.abs(self.compute_differences(self.observed)) - ROUNDING
        size = max(BLOCK // max(len(self.totals), len(self.groups)), 1)
        exceeding = np.ones(observed.shape[1])
        with console.progress("permutation test", replicates, "divisions") as progress:
            for start in range(0, replicates, size):
                block = np.repeat(self.observed, min(size, replicates - start), axis=0)
                differences = self.compute_differences(generator.permuted(block, axis=1))
                exceeding += (~(np.abs(differences) < observed)).sum(axis=0)
                progress.advance(len(block))
        return np.asarray(exceeding / (replicates + 1))


def smallest_p_value(old: int, new: int) -> float:
    """Return the smallest p-value that so many groups can give, however much the periods differ."""
    log_divisions = lgamma(old + new + 1) - lgamma(old + 1) - lgamma(new + 1)
    mirrored = log(2) if old == new else 0.0  # swapping equally many old and new groups differs as much
    return float(np.exp(min(mirrored - log_divisions, 0.0)))
