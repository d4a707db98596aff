"""The scores of a model and of its exported file on the same samples: differences and changed decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.errors import ModelError

TIE = 1e-3
"""Largest distance of a score from the threshold at which rounding decides, even if the tolerance is larger.

With a tie as wide as the tolerance of half precision, none of its decisions could count as changed.
"""


@frozen(eq=False)
class ScorePairs:
    """Scores of the same samples.

    Args:
        ids: names of the samples, (N,).
        model, file: scores by the model and by the exported file, (N,).
        subsets: |score differences| of a few samples where only some modalities are present, by their names.
    """

    ids: Sequence[str]
    model: NDArray[np.float64]
    file: NDArray[np.float64]
    subsets: Mapping[tuple[str, ...], NDArray[np.float64]]

    @property
    def differences(self) -> NDArray[np.float64]:
        """|score differences|, (N,)."""
        return np.abs(self.file - self.model)

    @property
    def largest(self) -> float:
        """The largest difference, also over the subsets of the modalities; NaN if any score is."""
        return float(np.max([self.differences.max(), *(values.max() for values in self.subsets.values())]))

    def changed(self, threshold: float) -> NDArray[np.bool_]:
        """Which decisions differ, (N,)."""
        decisions: NDArray[np.bool_] = (self.file >= threshold) != (self.model >= threshold)
        return decisions

    def ties(self, threshold: float, tolerance: float | None) -> NDArray[np.bool_]:
        """Which decisions differ because the model's score is at the threshold, (N,).

        The score is then at most the tolerance away, and at most `TIE`.
        """
        distance = np.abs(self.model - threshold)
        return self.changed(threshold) & (distance <= min(TIE if tolerance is None else tolerance, TIE))

    def check(self, tolerance: float | None, prefix: str, scope: str) -> None:
        """Raise ModelError if a difference is not finite or exceeds the tolerance."""
        limit = "" if tolerance is None else f", more than the {tolerance:g} allowed"
        row = int(self.differences.argmax())  # of a NaN, if there is one
        if not _passes(self.differences[row], tolerance):
            raise ModelError(
                f"{prefix}: its scores and the model's differ by up to {self.differences[row]:.2g} {scope}"
                f"{limit}: {self.describe(row)}"
            )
        for names, values in self.subsets.items():
            if not _passes(values.max(), tolerance):
                raise ModelError(
                    f"{prefix}: its scores and the model's differ by up to {values.max():.2g} on samples "
                    f"with {' and '.join(names)} only{limit}"
                )

    def describe(self, row: int) -> str:
        """Return e.g. `live/07.png has 0.512 in the model and 0.498 in the file`."""
        return f"{self.ids[row]} has {self.model[row]:.8g} in the model and {self.file[row]:.8g} in the file"

    def describe_changed(self, threshold: float, tolerance: float | None) -> str:
        """Return how many decisions changed, the one farthest from the threshold, and the differences."""
        changed = self.changed(threshold) & ~self.ties(threshold, tolerance)
        row = int(np.where(changed, np.abs(self.model - threshold), -1).argmax())
        limit = "" if tolerance is None else f", {tolerance:g} allowed"
        return (
            f"decisions changed at the threshold {threshold:.8g}: {changed.sum()}, "
            f"e.g. {self.describe(row)}; scores differ by up to {self.largest:.2g}{limit}"
        )


def _passes(difference: float, tolerance: float | None) -> bool:
    return bool(np.isfinite(difference) and difference <= (np.inf if tolerance is None else tolerance))
