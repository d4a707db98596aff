"""Scores of one class in ascending order: how many lie below, above, and where to cut.

Every sample counts once, or as often as a bootstrap drew it. Counts stay integers, so that ties and
rates such as 3 of 300 are exact.
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
    """N scores, ascending, without NaN. Build one with `Ranked.of`.

    Args:
        scores: (N,) ascending.
        cumulative: (N + 1,) how much the first 0, 1, ... N scores count for; None: 0, 1, ... N.
    """

    scores: Floats
    cumulative: Counts | None = None

    @classmethod
    def of(cls, scores: Floats) -> Ranked:
        """From scores in any order; NaN, a failure to respond, is left out and so never compared."""
        kept = scores[~np.isnan(scores)]
        kept.sort()
        return cls(kept)

    def weighted(self, weights: Weights) -> Ranked:
        """The same scores, each counting `weights` (N,) times."""
        cumulative = np.zeros(len(self.scores) + 1, np.int64)
        np.cumsum(weights, out=cumulative[1:])
        return Ranked(self.scores, cumulative)

    @property
    def total(self) -> int:
        """How many samples there are."""
        return len(self.scores) if self.cumulative is None else int(self.cumulative[-1])

    @property
    def weights(self) -> Counts:
        """(N,) how often each score counts."""
        return np.ones(len(self.scores), np.int64) if self.cumulative is None else np.diff(self.cumulative)

    def expanded(self) -> Floats:
        """(total,) ascending, a score that counts twice standing there twice."""
        return self.scores if self.cumulative is None else np.repeat(self.scores, self.weights)

    def below(self, threshold: float | Floats) -> Counts:
        """How many scores are < threshold; of the threshold's shape."""
        return self.first(np.searchsorted(self.scores, threshold, "left"))

    def at_least(self, threshold: float | Floats) -> Counts:
        """How many scores are >= threshold; of the threshold's shape."""
        return np.asarray(self.total - self.below(threshold))

    def above(self, threshold: float | Floats) -> Counts:
        """How many scores are > threshold; of the threshold's shape."""
        return np.asarray(self.total - self.first(np.searchsorted(self.scores, threshold, "right")))

    def first(self, positions: np.intp | Positions) -> Counts:
        """What the first so many scores count for."""
        return np.asarray(positions if self.cumulative is None else self.cumulative[positions])

    def lowest_with_above(self, rate: float) -> float:
        """The lowest score of which at most `rate`, in [0, 1), of all are above."""
        needed = self.total - self._allowed(rate)
        position = needed if self.cumulative is None else int(np.searchsorted(self.cumulative, needed))
        return float(self.scores[position - 1])

    def highest_with_below(self, rate: float) -> float:
        """The highest score of which at most `rate`, in [0, 1), of all are below."""
        allowed = self._allowed(rate)
        if self.cumulative is not None:
            allowed = int(np.searchsorted(self.cumulative, allowed, "right")) - 1
        return float(self.scores[allowed])

    def _allowed(self, rate: float) -> int:
        """The most samples that are at most `rate` of all, as rates divide: 3 of 300 is 1e-2."""
        allowed = int(rate * self.total) + 1
        while allowed > 0 and allowed / self.total > rate:
            allowed -= 1
        return allowed
