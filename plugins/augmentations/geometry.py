"""A crop, a flip and an erased rectangle, the same for all modalities of a sample.

The crop is that of Going Deeper with Convolutions (arXiv 1409.4842). Random Erasing Data Augmentation
(Zhong et al., arXiv 1708.04896) covers a rectangle, as glasses or a hand do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core import CropRegion
from fas_plugins.augmentations.options import CropOptions, EraseOptions, FlipOptions

Image = NDArray[np.uint8]

MAX_TRIES = 10

MAX_RECTANGLES = 1000
"""Rectangles that are drawn until one fits; of the paper's, one in three does."""


@frozen
class RandomCrop:
    """Draws a crop of some area and aspect ratio, uniformly among its places."""

    options: CropOptions

    def __call__(self, height: int, width: int, rng: np.random.Generator) -> CropRegion:
        w, h = self._draw_size(rng, height, width)
        left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
        return CropRegion(left / width, top / height, w / width, h / height)

    def _draw_size(self, rng: np.random.Generator, height: int, width: int) -> tuple[int, int]:
        """Draw (width, height) in pixels; if ten do not fit, the largest that the ratios allow."""
        low, high = self.options.ratio
        for _ in range(MAX_TRIES):
            area = height * width * rng.uniform(*self.options.scale)
            ratio = math.exp(rng.uniform(math.log(low), math.log(high)))
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < w <= width and 0 < h <= height:
                return w, h
        ratio = min(max(width / height, low), high)
        return max(1, min(width, round(height * ratio))), max(1, min(height, round(width / ratio)))


@frozen
class Flip:
    """Mirrors the faces of a sample, all or none."""

    options: FlipOptions

    def __call__(self, faces: Mapping[str, Image], rng: np.random.Generator) -> dict[str, Image]:
        if rng.random() >= self.options.probability:
            return dict(faces)
        return {name: np.asarray(cv2.flip(face, 1)) for name, face in faces.items()}


@frozen
class RandomErasing:
    """Fills a rectangle of the faces of a sample."""

    options: EraseOptions

    def __call__(self, faces: Mapping[str, Image], rng: np.random.Generator) -> dict[str, Image]:
        if rng.random() >= self.options.probability:
            return dict(faces)
        rows, columns = self._draw_rectangle(rng, len(next(iter(faces.values()))))
        erased = {name: face.copy() for name, face in faces.items()}
        for face in erased.values():
            part = face[rows, columns]
            is_noise = self.options.fill == "noise"
            part[...] = rng.integers(0, 256, part.shape, np.uint8) if is_noise else 0
        return erased

    def _draw_rectangle(self, rng: np.random.Generator, side: int) -> tuple[slice, slice]:
        """Draw rows and columns of a square image, as algorithm 1 of the paper; none if none fits."""
        for _ in range(MAX_RECTANGLES):
            area, ratio = rng.uniform(*self.options.area), rng.uniform(*self.options.ratio)
            height, width = side * math.sqrt(area * ratio), side * math.sqrt(area / ratio)
            left, top = rng.uniform(0, side, 2)
            if left + width <= side and top + height <= side:
                return slice(round(top), round(top + height)), slice(round(left), round(left + width))
        return slice(0), slice(0)
