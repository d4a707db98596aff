"""Scores of one class in ascending order, with exact counts below and above any threshold.

Every score counts once, or as often as a bootstrap replicate repeats it. Counts stay integers, so that
ties and rates such as 3 of 300 are exact.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]
Positions: TypeAlias = NDArray[np.intp]
Weights: TypeAlias = NDArray[np.integer[Any]]


@frozen(eq=False)
class Ranked:
    """(N,) scores, ascending, without NaN. Build one with `Ranked.of`.

    `cumulative` (N + 1,) is the sum of the first 0, 1, ... N weights; None where every weight is 1.
    """

    scores: Floats
    cumulative: Counts | None = None

    @classmethod
    def of(cls, scores: Floats) -> Ranked:
        """Sort scores of any order; leave out NaN, which means failure to respond."""
        responses = scores[~np.isnan(scores)]
        responses.sort()
        return cls(responses)

    def reweight(self, weights: Weights) -> Ranked:
        """Return the same scores, each counting `weights` (N,) times."""
        cumulative = np.zeros(len(self.scores) + 1, np.int64)
        np.cumsum(weights, out=cumulative[1:])
        return Ranked(self.scores, cumulative)

    @property
    def total(self) -> int:
        """The number of samples: the sum of all weights."""
        return len(self.scores) if self.cumulative is None else int(self.cumulative[-1])

    @property
    def weights(self) -> Counts:
        """(N,) how often each score counts."""
        return np.ones(len(self.scores), np.int64) if self.cumulative is None else np.diff(self.cumulative)

    def expand(self) -> Floats:
        """Return (total,) ascending scores, each repeated as often as it counts."""
        return self.scores if self.cumulative is None else np.repeat(self.scores, self.weights)

    def count_below(self, threshold: float | Floats) -> Counts:
        """Count scores < threshold; of the threshold's shape."""
        return self.count_first(np.searchsorted(self.scores, threshold, "left"))

    def count_at_least(self, threshold: float | Floats) -> Counts:
        """Count scores >= threshold; of the threshold's shape."""
        return np.asarray(self.total - self.count_below(threshold))

    def count_above(self, threshold: float | Floats) -> Counts:
        """Count scores > threshold; of the threshold's shape."""
        return np.asarray(self.total - self.count_first(np.searchsorted(self.scores, threshold, "right")))

    def count_first(self, positions: np.intp | Positions) -> Counts:
        """Count the samples of the first `positions` scores."""
        return np.asarray(positions if self.cumulative is None else self.cumulative[positions])

    def upper_quantile(self, rate: float) -> float:
        """The lowest score with at most `rate`, in [0, 1), of all samples above it."""
        required = self.total - self._largest_count(rate)
        position = required if self.cumulative is None else int(np.searchsorted(self.cumulative, required))
        return float(self.scores[position - 1])

    def lower_quantile(self, rate: float) -> float:
        """The highest score with at most `rate`, in [0, 1), of all samples below it."""
        position = self._largest_count(rate)
        if self.cumulative is not None:
            position = int(np.searchsorted(self.cumulative, position, "right")) - 1
        return float(self.scores[position])

    def _largest_count(self, rate: float) -> int:
        """The most samples that are at most `rate` of all, by floating-point division: 3 of 300 is 1e-2."""
        count = int(rate * self.total) + 1
        while count > 0 and count / self.total > rate:
            count -= 1
        return count
