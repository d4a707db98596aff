"""Quarters of a batch's images that change places within a class.

CutMix (Yun et al., arXiv 1905.04899) mixes regions of images, and their labels. Mixing here exchanges
quarters within a class, so the label stays.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_plugins.augmentations.options import MixOptions


@frozen
class QuarterMix:
    """Mixes a batch with a probability; with probability 0 nothing is drawn."""

    options: MixOptions

    def draw_donors(self, labels: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.intp] | None:
        """(4, B) rows of the batch, of the same label, from which each sample gets each of its quarters."""
        if not self.options.probability or rng.random() >= self.options.probability:
            return None
        donors = np.tile(np.arange(len(labels)), (4, 1))
        for quarter in donors:
            for label in np.unique(labels):
                rows = np.flatnonzero(labels == label)
                quarter[rows] = rng.permutation(rows)
        return donors

    def mix(self, images: NDArray[np.uint8], donors: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Return N images, their quarters from `images` (M, S, S, 3); `donors` are (4, N) rows of these."""
        half = images.shape[1] // 2
        first, second = slice(None, half), slice(half, None)
        mixed = np.empty((donors.shape[1], *images.shape[1:]), images.dtype)
        quarters = ((first, first), (first, second), (second, first), (second, second))
        for (down, across), rows in zip(quarters, donors, strict=True):
            mixed[:, down, across] = images[rows, down, across]
        return mixed
