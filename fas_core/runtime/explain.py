"""Which regions of a face a model's score depends on: occlusion maps, and Grad-CAM where there are gradients.

Occlusion: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (arXiv 1311.2901). It
needs scores alone, so it works for exported files and runs. Grad-CAM needs gradients, hence torch and a run:
the caller passes a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress, product
from typing import TypeAlias

import cv2
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.contracts import Images, Scorer
from fas_core.runtime.model_file import Presence
from fas_core.runtime.predictor import BATCH_SIZE, Face, Predictor

Map: TypeAlias = NDArray[np.float64]
"""(S, S): a number for every pixel of a face."""

GradCam: TypeAlias = Callable[[Images, Presence], Mapping[str, NDArray[np.float64]]]
"""A batch, as a scorer takes it -> `{modality: (B, h, w)}`, at least 0."""

Corners: TypeAlias = Sequence[tuple[int, int]]
"""Top and left of each square."""

SQUARE = 0.25
"""Default side of the covering square, as a fraction of the face's side."""


@frozen(eq=False)
class ExplanationMaps:
    """The maps of one face.

    Args:
        occlusion: `{modality: (S, S)}` drop of the score; positive where the region is evidence for live.
        grad_cam: `{modality: (S, S)}`, at least 0: evidence for live; None where there are no gradients.
    """

    occlusion: Mapping[str, Map]
    grad_cam: Mapping[str, Map] | None = None

    @property
    def peak(self) -> float:
        """The largest drop or rise of the score, over all modalities."""
        return max(float(abs(values).max()) for values in self.occlusion.values())


@frozen(eq=False)
class Explainer:
    """Computes the maps of one model. Threads may share it.

    `grad_cam` is None where there are no gradients. `square` is the side of the covering square as a fraction
    of the face's, in (0, 1]; its step is half of that.
    """

    predictor: Predictor
    grad_cam: GradCam | None = None
    square: float = SQUARE

    def explain(self, face: Face) -> ExplanationMaps:
        """Compute a face's maps, at the model's face size; raise ModelError if Grad-CAM is not supported."""
        images, presence = self.predictor.stack([face])
        side = self.predictor.card.input.face_size
        square = max(round(self.square * side), 1)
        drops = occlusion(self.predictor.model, images, presence, square=square, stride=max(square // 2, 1))
        if self.grad_cam is None:
            return ExplanationMaps(drops)
        maps = self.grad_cam(images, presence)
        return ExplanationMaps(drops, {name: _enlarge(maps[name][0], side) for name in drops})


def _enlarge(values: NDArray[np.float64], side: int) -> Map:
    """(h, w) -> (side, side), as if the network's last map covered the face evenly."""
    return np.asarray(cv2.resize(values, (side, side), interpolation=cv2.INTER_LINEAR), np.float64)


def occlusion(
    score: Scorer, images: Images, presence: Presence = None, *, square: int, stride: int
) -> dict[str, Map]:
    """Compute how much the score of one face falls where a square covers it.

    A square of the image's mean colour moves over one modality at a time; the others stay. A pixel's value
    is the mean, over all squares that cover it, of the score of the uncovered face minus that of the covered
    one: positive where the region is evidence for live, negative for attack.

    Args:
        images: `{modality: uint8 (1, S, S, 3)}`, in the model's order.
        presence: (1, modalities) bool, False where a modality is missing; None: none is.
        square: side of the square in pixels.
        stride: its step in pixels; the last square of a row or column ends at the border.

    Returns `{modality: (S, S)}` of those present. Raises ValueError unless 1 <= stride <= square <= S.
    """
    side = next(iter(images.values())).shape[1]
    if not 1 <= stride <= square <= side:
        sizes = f"square {square} and stride {stride} for {side} pixels"
        raise ValueError(f"{sizes}: need stride <= square <= side")
    starts = [*range(0, side - square, stride), side - square]
    corners = list(product(starts, starts))
    uncovered = float(score(images, presence)[0])
    maps = {}
    for name in images if presence is None else compress(images, presence[0]):
        drops = uncovered - _score_covered(score, images, presence, name, corners, square)
        maps[name] = _average_by_pixel(drops, corners, square, side)
    return maps


def _score_covered(
    score: Scorer, images: Images, presence: Presence, name: str, corners: Corners, square: int
) -> NDArray[np.float64]:
    """(corners,) the scores of the face with one modality covered by each square."""
    colour = images[name][0].mean(axis=(0, 1)).round().astype(np.uint8)
    scores = []
    for start in range(0, len(corners), BATCH_SIZE):
        batch = corners[start : start + BATCH_SIZE]
        copies = {modality: np.repeat(image, len(batch), axis=0) for modality, image in images.items()}
        for copy, (top, left) in zip(copies[name], batch, strict=True):
            copy[top : top + square, left : left + square] = colour
        scores.append(score(copies, None if presence is None else np.repeat(presence, len(batch), axis=0)))
    return np.concatenate(scores)


def _average_by_pixel(drops: NDArray[np.float64], corners: Corners, square: int, side: int) -> Map:
    """(side, side) the mean drop of the squares over each pixel."""
    total, count = np.zeros((side, side)), np.zeros((side, side))
    for drop, (top, left) in zip(drops, corners, strict=True):
        total[top : top + square, left : left + square] += drop
        count[top : top + square, left : left + square] += 1
    return total / count
