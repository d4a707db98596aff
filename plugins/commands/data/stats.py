"""Mean and standard deviation of a data set's pixels, for a recipe's `model.normalize`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fas_core.config.recipe import Normalize
from fas_core.console import console
from fas_core.data.reading import batches
from fas_core.errors import DataError
from fas_core.records.model_input import ModelInput, Resize
from fas_core.records.samples import SampleTable

BATCH = 32


def measure_channels(
    samples: SampleTable, modalities: Sequence[str], size: int, resize: Resize, workers: int
) -> dict[str, Normalize]:
    """Return mean and standard deviation of each modality's channels, of pixels in [0, 1].

    Images are resized as for evaluation.

    Args:
        samples: each has all modalities.
        modalities: which of them to measure.
        size: side in pixels of the resized images, so that each counts alike.
        resize: the evaluation rule.
        workers: threads that read images.

    Raises:
        DataError: there are no samples, an image cannot be read, or a channel is constant.
    """
    if not len(samples):
        raise DataError(f"{samples.root}: no samples to measure")
    sums = {modality: np.zeros((2, 3)) for modality in modalities}
    with console.progress("measuring", len(samples), "samples") as bar:
        for images in batches(samples, ModelInput(tuple(modalities), size, resize=resize), BATCH, workers):
            for modality, pixels in images.items():
                flat = pixels.reshape(-1, 3)
                sums[modality][0] += flat.sum(axis=0, dtype=np.int64)
                sums[modality][1] += np.square(flat, dtype=np.int32).sum(axis=0, dtype=np.int64)
            bar.advance(len(pixels))
    count = len(samples) * size * size
    return {modality: _normalize(samples, modality, total / count) for modality, total in sums.items()}


def _normalize(samples: SampleTable, modality: str, moments: NDArray[np.float64]) -> Normalize:
    """Return mean and deviation from the means of values and of squares (2, 3), in 0..255."""
    mean, std = moments[0] / 255, np.sqrt(np.maximum(moments[1] - moments[0] ** 2, 0)) / 255
    if (std.round(4) == 0).any():
        raise DataError(
            f"{samples.root}: a channel of {modality} is the same in all pixels: nothing to learn"
        )
    return Normalize(mean=_triple(mean), std=_triple(std))


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (round(float(value), 4) for value in values)
    return red, green, blue
