"""Scoring samples: images in, score table out. Works with any scorer, so it needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fas_core.config import Resize
from fas_core.console import console
from fas_core.contracts import DatasetReader, Scorer
from fas_core.data.reading import batches
from fas_core.data.samples import SampleTable
from fas_core.errors import DataError
from fas_core.scores import ScoreTable

BATCH_SIZE = 32


def score_samples(
    scorer: Scorer,
    samples: SampleTable,
    *,
    modalities: Sequence[str],
    input_size: int,
    resize: Resize,
    workers: int = 2,
    description: str = "scoring",
) -> ScoreTable:
    """The score of every sample, in order, joined to what is known of it.

    Raises:
        DataError: a modality is missing, or an image cannot be read.
    """
    if not len(samples):
        raise DataError(f"{samples.root}: no samples to score")
    samples.need(modalities)
    scores: list[np.ndarray] = []
    with console.progress(description, len(samples)) as bar:
        for images in batches(samples, modalities, input_size, resize, BATCH_SIZE, workers):
            scores.append(scorer(images))
            bar.advance(len(scores[-1]))
    return ScoreTable.from_samples(samples, np.concatenate(scores))


def protocol_notes(reader: DatasetReader) -> tuple[str, ...]:
    """What has to be said under every table of this data set: whichever split is judged, train and dev
    chose its weights and its threshold."""
    shared = [
        f"{first} and {second} share subjects by the protocol's design" for first, second in reader.overlaps
    ]
    return (*shared, *reader.notes)
