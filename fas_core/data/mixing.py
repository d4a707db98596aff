"""Pictures of several samples in one: for training, quarters of a batch change places within their class.

CutMix (Yun et al., arXiv 1905.04899) pastes a part of one image into another and mixes their labels. Here
the label stays: people and places are mixed, and what tells live from attack is not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fas_core.data.images import Image


def donors(labels: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.intp]:
    """(4, B): whose quarter each sample gets, at each of the four places; somebody's of its own label."""
    found = np.tile(np.arange(len(labels)), (4, 1))
    for quarter in found:
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            quarter[rows] = rng.permutation(rows)
    return found


def mixed(images: Mapping[str, Image], whose: NDArray[np.intp]) -> dict[str, Image]:
    """(B, S, S, 3) of each modality, with the quarters of `whose`: the same of every modality."""
    return {name: _mixed(batch, whose) for name, batch in images.items()}


def _mixed(batch: Image, whose: NDArray[np.intp]) -> Image:
    half = batch.shape[1] // 2
    first, second = slice(None, half), slice(half, None)
    made = batch.copy()
    places = ((first, first), (first, second), (second, first), (second, second))
    for (top, left), rows in zip(places, whose, strict=True):
        made[:, top, left] = batch[rows, top, left]
    return made
