"""Hide-and-Seek: random patches of a training image are hidden (arXiv 1704.04232)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fas_training.options import HideAndSeekOptions

Image = NDArray[np.uint8]


class HideAndSeek:
    """Fills patches with the mean colour of their image, so that no single cue decides."""

    def __init__(self, options: HideAndSeekOptions) -> None:
        self.options = options

    def __call__(self, faces: Mapping[str, Image], rng: np.random.Generator) -> dict[str, Image]:
        """Hide the same patches of every modality, `{modality: uint8 (S, S, 3)}`."""
        grid = self.options.grid
        hidden = rng.random((grid, grid)) < self.options.probability
        return {name: hide_patches(face, hidden) for name, face in faces.items()}


def hide_patches(image: Image, hidden: NDArray[np.bool_]) -> Image:
    """Return an image (S, S, 3) without the patches where `hidden`, (grid, grid), is true."""
    patch = np.arange(len(image)) * len(hidden) // len(image)  # (S,) the patch of each row and column
    mean = image.mean(axis=(0, 1)).astype(np.uint8)
    return np.where(hidden[patch][:, patch, None], mean, image)
