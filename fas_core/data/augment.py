"""Random changes for training: one geometry for all modalities of a sample, and colour noise for each.

As FeatherNets (arXiv 1904.09290) were trained: a random crop of area and aspect ratio (Going Deeper with
Convolutions, arXiv 1409.4842), a flip, and PCA colour noise (AlexNet, NeurIPS 2012, section 4.1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
from attrs import frozen

from fas_core.config.recipe import Augment
from fas_core.data.images import Image, cut, resized

TRIES = 10
EIGENVALUES = np.array([0.2175, 0.0188, 0.0045])
EIGENVECTORS = np.array([[0.4009, 0.7192, -0.5675], [-0.8140, -0.0045, -0.5808], [0.4203, -0.6948, -0.5836]])
"""Of ImageNet's colours in [0, 1]; a row for each eigenvalue, a column for each of red, green, blue."""


@frozen
class Geometry:
    """A crop, as fractions of width and height so that it fits images of any size, and a flip."""

    x: float
    y: float
    w: float
    h: float
    flip: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, height: int, width: int, augment: Augment) -> Geometry:
        """For an image of `height` x `width` pixels; other modalities follow it."""
        w, h = _crop_size(rng, height, width, augment)
        left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
        return cls(left / width, top / height, w / width, h / height, bool(rng.random() < augment.flip))

    def apply(self, image: Image, size: int) -> Image:
        """(H, W, 3) -> (size, size, 3)."""
        height, width = image.shape[:2]
        part = cut(image, (self.x * width, self.y * height, self.w * width, self.h * height))
        made = resized(part, size)
        return np.asarray(cv2.flip(made, 1)) if self.flip else made


def _crop_size(rng: np.random.Generator, height: int, width: int, augment: Augment) -> tuple[int, int]:
    """Width and height of the crop in pixels.

    Of ten draws the first that fits. After that as much of the image as the aspect ratios allow.
    """
    low, high = augment.crop_ratio
    for _ in range(TRIES):
        area = height * width * rng.uniform(*augment.crop_scale)
        ratio = math.exp(rng.uniform(math.log(low), math.log(high)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return w, h
    ratio = min(max(width / height, low), high)
    return min(width, round(height * ratio)), min(height, round(width / ratio))


def light(image: Image, rng: np.random.Generator, strength: float) -> Image:
    """PCA colour noise: a shift of the whole image along the principal axes of natural colours.

    Args:
        image: (H, W, 3).
        rng: where the shift comes from.
        strength: standard deviation of the share of each axis; 0 changes nothing.
    """
    if not strength:
        return image
    shift = (EIGENVALUES * rng.normal(0, strength, 3)) @ EIGENVECTORS * 255
    # A table of the 256 values a channel: exact, and faster than arithmetic on the pixels.
    table = np.arange(256)[:, None] + shift
    return np.asarray(cv2.LUT(image, np.clip(np.round(table), 0, 255).astype(np.uint8)[None]))


def augmented(
    faces: Mapping[str, Image], size: int, augment: Augment, rng: np.random.Generator
) -> dict[str, Image]:
    """One sample for training.

    Args:
        faces: `{modality: (H, W, 3)}`; sizes may differ.
        size: side of the result in pixels.
        augment: what is done.
        rng: the sample's own, so that its changes do not depend on who reads it and when.

    Returns:
        `{modality: (size, size, 3)}`.
    """
    height, width = next(iter(faces.values())).shape[:2]
    geometry = Geometry.draw(rng, height, width, augment)
    return {name: light(geometry.apply(face, size), rng, augment.lighting) for name, face in faces.items()}
