"""Random numbers and noise images. Seeds name what is rendered, so order and worker count do not matter."""

from __future__ import annotations

import cv2
import numpy as np

from fas_plugins.datasets.simulator.filters import Image, resize


def make_generator(seed: int, *key: int) -> np.random.Generator:
    """Return the random generator of one item, e.g. of key (subject, species, take)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def white_noise(rng: np.random.Generator, *shape: int) -> Image:
    """Draw independent standard normal values of the given shape."""
    return rng.standard_normal(shape, np.float32)


def smooth_noise(rng: np.random.Generator, size: int, cells: int, *channels: int) -> Image:
    """Draw (size, size, *channels) values of deviation near 1 that vary over `cells` x `cells` cells."""
    return resize(white_noise(rng, cells, cells, *channels), size, cv2.INTER_CUBIC)
