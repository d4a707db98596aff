"""Training augmentation: a crop and flip of all modalities of a sample; of each, colour noise and quality.

As FeatherNets (arXiv 1904.09290) were trained: a random crop of area and aspect ratio (Going Deeper with
Convolutions, arXiv 1409.4842), a flip, and PCA colour noise (AlexNet, NeurIPS 2012, section 4.1).

CutMix (Yun et al., arXiv 1905.04899) mixes regions of images, and their labels. Mixing here exchanges
quarters within a class, so the label stays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.config.recipe import Augment
from fas_core.data.augment_quality import reduce_quality
from fas_core.data.images import Image, crop, resize_square

MAX_TRIES = 10
EIGENVALUES = np.array([0.2175, 0.0188, 0.0045])
EIGENVECTORS = np.array([[0.4009, 0.7192, -0.5675], [-0.8140, -0.0045, -0.5808], [0.4203, -0.6948, -0.5836]])
"""Of ImageNet's colours in [0, 1]; a row for each eigenvalue, a column for each of red, green, blue."""


@frozen
class CropGeometry:
    """A crop as fractions of width and height, so that it fits images of any size, and a flip."""

    x: float
    y: float
    w: float
    h: float
    flip: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, height: int, width: int, augment: Augment) -> CropGeometry:
        """Draw a crop for an image of `height` x `width` pixels."""
        w, h = _draw_crop_size(rng, height, width, augment)
        left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
        return cls(left / width, top / height, w / width, h / height, bool(rng.random() < augment.flip))

    def apply(self, image: Image, size: int) -> Image:
        """(H, W, 3) -> (size, size, 3)."""
        height, width = image.shape[:2]
        box = (self.x * width, self.y * height, self.w * width, self.h * height)
        resized = resize_square(crop(image, box), size)
        return np.asarray(cv2.flip(resized, 1)) if self.flip else resized


def _draw_crop_size(rng: np.random.Generator, height: int, width: int, augment: Augment) -> tuple[int, int]:
    """Draw (width, height) of a crop in pixels; if ten do not fit, the largest that the ratios allow."""
    low, high = augment.crop_ratio
    for _ in range(MAX_TRIES):
        area = height * width * rng.uniform(*augment.crop_scale)
        ratio = math.exp(rng.uniform(math.log(low), math.log(high)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return w, h
    ratio = min(max(width / height, low), high)
    return min(width, round(height * ratio)), min(height, round(width / ratio))


def add_colour_noise(image: Image, rng: np.random.Generator, strength: float) -> Image:
    """Shift an image (H, W, 3) along natural colours' principal axes, each by N(0, strength) x eigenvalue."""
    if not strength:
        return image
    shift = (EIGENVALUES * rng.normal(0, strength, 3)) @ EIGENVECTORS * 255
    # A table of the 256 values a channel: exact, and faster than arithmetic on the pixels.
    table = np.arange(256)[:, None] + shift
    return np.asarray(cv2.LUT(image, np.clip(np.round(table), 0, 255).astype(np.uint8)[None]))


def augment_faces(
    faces: Mapping[str, Image], size: int, augment: Augment, rng: np.random.Generator
) -> dict[str, Image]:
    """Augment one training sample: `{modality: (H, W, 3)}` of any sizes -> `{modality: (size, size, 3)}`.

    `rng` is the sample's own, so that the result does not depend on which process reads it and when.
    """
    height, width = next(iter(faces.values())).shape[:2]
    geometry = CropGeometry.draw(rng, height, width, augment)
    return change_pixels({name: geometry.apply(face, size) for name, face in faces.items()}, augment, rng)


def change_pixels(crops: Mapping[str, Image], augment: Augment, rng: np.random.Generator) -> dict[str, Image]:
    """Add colour noise to the crops `{modality: (S, S, 3)}` of a sample, and reduce their quality."""
    coloured = {name: add_colour_noise(face, rng, augment.lighting) for name, face in crops.items()}
    return {name: reduce_quality(face, rng, augment.quality) for name, face in coloured.items()}


def draw_donors(labels: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.intp]:
    """(4, B) rows of the batch, of the same label, from which each sample gets each of its quarters."""
    donors = np.tile(np.arange(len(labels)), (4, 1))
    for quarter in donors:
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            quarter[rows] = rng.permutation(rows)
    return donors


def mix_quarters(batch: Image, donors: NDArray[np.intp]) -> Image:
    """Return N images whose quarters come from those of a batch (B, S, S, 3).

    `donors` are (4, N) rows of the batch, as `draw_donors` draws them.
    """
    half = batch.shape[1] // 2
    first, second = slice(None, half), slice(half, None)
    mixed = np.empty((donors.shape[1], *batch.shape[1:]), batch.dtype)
    quarters = ((first, first), (first, second), (second, first), (second, second))
    for (down, across), rows in zip(quarters, donors, strict=True):
        mixed[:, down, across] = batch[rows, down, across]
    return mixed
