"""Changes of each image of a sample by itself: every camera has its own light, lens and losses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Change = Callable[[Image, np.random.Generator], Image]


@frozen
class EachImage:
    """Makes each of some changes of each image with a probability; with probability 0 nothing is drawn."""

    probability: float
    changes: tuple[Change, ...]

    def __call__(self, faces: Mapping[str, Image], rng: np.random.Generator) -> dict[str, Image]:
        if not self.probability:
            return dict(faces)
        return {name: self._change(face, rng) for name, face in faces.items()}

    def _change(self, image: Image, rng: np.random.Generator) -> Image:
        for change in self.changes:
            if rng.random() < self.probability:
                image = change(image, rng)
        return image


def draw_log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))
