"""Occlusion maps: by how much the score falls where a square of the face is covered.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (arXiv 1311.2901). It asks
nothing of a model but scores, so that an exported file and a run are looked into by the same code.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, product

import numpy as np
from numpy.typing import NDArray

from fas_core.contracts import Images, Scorer

Map = NDArray[np.float64]
"""(H, W): a number for every pixel of a face."""

BATCH_SIZE = 32

Places = Sequence[tuple[int, int]]
"""Upper left corners of the square: row, column."""


def occlusion(
    score: Scorer,
    images: Images,
    presence: NDArray[np.bool_] | None = None,
    *,
    square: int,
    stride: int,
) -> dict[str, Map]:
    """How much each place of one face spoke for live.

    A square of the image's mean colour is moved over one modality at a time, the others being left as
    they are. Every pixel has the mean drop of the score, whole face minus covered face, over all the
    squares that covered it: positive where what was covered spoke for live, negative where for attack.

    Args:
        score: the model.
        images: `{modality: uint8 (1, S, S, 3)}`, in the model's order.
        presence: (1, modalities) bool, False where a modality is missing; None: none is.
        square: side of the square in pixels.
        stride: by how many pixels it moves; the last one of a row or column ends at the border.

    Returns:
        `{modality: (S, S)}` of those that are there.

    Raises:
        ValueError: the square is larger than the face, or moves farther than its side.
    """
    side = next(iter(images.values())).shape[1]
    if not 1 <= stride <= square <= side:
        raise ValueError(
            f"square {square} and stride {stride} for {side} pixels: need stride <= square <= side"
        )
    starts = [*range(0, side - square, stride), side - square]
    places = list(product(starts, starts))
    whole = float(score(images, presence)[0])
    there = images if presence is None else compress(images, presence[0])
    return {
        name: _by_pixel(
            whole - _covered_scores(score, images, presence, name, places, square), places, square, side
        )
        for name in there
    }


def _covered_scores(
    score: Scorer, images: Images, presence: NDArray[np.bool_] | None, name: str, places: Places, square: int
) -> NDArray[np.float64]:
    """(places,) the score with one modality covered at each."""
    found = []
    for start in range(0, len(places), BATCH_SIZE):
        some = places[start : start + BATCH_SIZE]
        copies = {modality: np.repeat(image, len(some), axis=0) for modality, image in images.items()}
        colour = images[name][0].mean(axis=(0, 1)).round().astype(np.uint8)
        for copy, (top, left) in zip(copies[name], some, strict=True):
            copy[top : top + square, left : left + square] = colour
        found.append(score(copies, None if presence is None else np.repeat(presence, len(some), axis=0)))
    return np.concatenate(found)


def _by_pixel(drops: NDArray[np.float64], places: Places, square: int, side: int) -> Map:
    """(side, side) the mean drop of the squares over each pixel."""
    total, count = np.zeros((side, side)), np.zeros((side, side))
    for drop, (top, left) in zip(drops, places, strict=True):
        over = np.s_[top : top + square, left : left + square]
        total[over] += drop
        count[over] += 1
    return total / count
