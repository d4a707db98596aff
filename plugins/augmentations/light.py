"""Light: the colour noise of AlexNet (NeurIPS 2012, section 4.1), more or less of it, another tone curve."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import cv2
import numpy as np
from attrs import frozen

from fas_plugins.augmentations.each_image import EachImage, Image, draw_log_uniform
from fas_plugins.augmentations.options import GainOptions, GammaOptions, LightingOptions

EIGENVALUES = np.array([0.2175, 0.0188, 0.0045])
EIGENVECTORS = np.array([[0.4009, 0.7192, -0.5675], [-0.8140, -0.0045, -0.5808], [0.4203, -0.6948, -0.5836]])
"""Of ImageNet's colours in [0, 1]; a row for each eigenvalue, a column for each of red, green, blue."""


@frozen
class Lighting:
    """Adds colour noise to each image of a sample; with deviation 0 nothing is drawn."""

    options: LightingOptions

    def __call__(self, faces: Mapping[str, Image], rng: np.random.Generator) -> dict[str, Image]:
        return {name: add_colour_noise(face, rng, self.options.deviation) for name, face in faces.items()}


def make_gain(options: GainOptions) -> EachImage:
    return EachImage(options.probability, (partial(change_gain, factor=options.factor),))


def make_gamma(options: GammaOptions) -> EachImage:
    return EachImage(options.probability, (partial(change_gamma, exponent=options.exponent),))


def add_colour_noise(image: Image, rng: np.random.Generator, deviation: float) -> Image:
    """Shift an image (H, W, 3) along colours' principal axes, each by N(0, deviation) x eigenvalue."""
    if not deviation:
        return image
    shift = (EIGENVALUES * rng.normal(0, deviation, 3)) @ EIGENVECTORS * 255
    # Pixels are whole numbers: to round the shift is to round the sum. OpenCV adds without overflow.
    return np.asarray(cv2.add(image, np.append(np.round(shift), 0.0)))


def change_gain(image: Image, rng: np.random.Generator, factor: tuple[float, float]) -> Image:
    """Multiply all values by one number, rounded and clipped to 255."""
    return np.asarray(cv2.convertScaleAbs(image, alpha=draw_log_uniform(rng, *factor)))


def change_gamma(image: Image, rng: np.random.Generator, exponent: tuple[float, float]) -> Image:
    """Raise all values, in [0, 1], to one power."""
    curve = 255 * np.linspace(0, 1, 256) ** draw_log_uniform(rng, *exponent)
    return np.asarray(cv2.LUT(image, np.round(curve).astype(np.uint8)))
