"""Scoring samples: images in, score table out. Works with any scorer, so it needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, compress

import numpy as np
from numpy.typing import NDArray

from fas_core.console import console
from fas_core.contracts import DatasetReader, Scorer
from fas_core.data.reading import batches
from fas_core.errors import ConfigError, DataError, ModelError, format_list
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import SampleTable
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

BATCH_SIZE = 32

SEEN = "so the threshold is of people seen in training: --folds subject:5 fits it on others"
"""Note under figures at a threshold fitted on dev, where dev has the people of train."""


def score_samples(
    scorer: Scorer,
    samples: SampleTable,
    *,
    model_input: ModelInput,
    only: Sequence[str] | None = None,
    workers: int = 2,
    description: str = "scoring",
) -> ScoreTable:
    """Score every sample, in order, and join the scores to what is known of the samples.

    Args:
        scorer: the model.
        samples: the samples.
        model_input: what the model takes.
        only: the modalities that a model is given which can do without some; None for all that a sample has.
        workers: threads that read images.
        description: label of the progress bar.

    Raises:
        DataError: a modality is missing that the model needs, or an image cannot be read.
        ModelError: `only` is given for a model that needs all modalities.
    """
    modalities = model_input.modalities
    if only is not None and not model_input.partial:
        raise ModelError(
            f"the model needs all of {', '.join(modalities)}: only one trained with train.modality_dropout "
            "can do without some"
        )
    if not len(samples):
        raise DataError(f"{samples.root}: no samples to score")
    presence = presence_of(samples, modalities, only) if model_input.partial else None
    if presence is None:
        samples.need(modalities)
    scores = np.full(len(samples), np.nan)
    done = 0
    with console.progress(description, len(samples)) as bar:
        for images in batches(samples, model_input, BATCH_SIZE, workers, presence):
            rows = slice(done, done + len(images[modalities[0]]))
            scores[rows] = scorer(images) if presence is None else scorer(images, presence[rows])
            bar.advance(rows.stop - done)
            done = rows.stop
    names = None if presence is None else ["+".join(compress(modalities, row)) for row in presence]
    return ScoreTable.from_samples(samples, scores, names)


def subsets(modalities: Sequence[str]) -> list[tuple[str, ...]]:
    """Return every non-empty subset, the largest first."""
    sizes = range(len(modalities), 0, -1)
    return [subset for size in sizes for subset in combinations(modalities, size)]


def presence_of(
    samples: SampleTable, modalities: Sequence[str], only: Sequence[str] | None = None
) -> NDArray[np.bool_]:
    """Return (N, modalities): which modalities of each sample the model is given.

    Args:
        samples: N samples.
        modalities: what the model takes, in order.
        only: those that it is given; None for all that a sample has.

    Raises:
        ConfigError: the model takes no such modality.
        DataError: a sample has none of them.
    """
    if unknown := sorted(set(only or ()) - set(modalities)):
        raise ConfigError(f"the model takes {', '.join(modalities)}: no {format_list(unknown)}")
    wanted = [name for name in modalities if only is None or name in only]
    presence = np.zeros((len(samples), len(modalities)), np.bool_)
    presence[:, [modalities.index(name) for name in wanted]] = samples.presence(wanted)
    return presence


def protocol_notes(reader: DatasetReader, threshold: Threshold | None = None) -> tuple[str, ...]:
    """Return the lines that belong under every table of a data set.

    Whichever split is evaluated, train and dev chose the model's weights and threshold: what these splits
    share is said.

    Args:
        reader: the data set.
        threshold: the threshold of the figures.
    """
    lines = [
        f"{first} and {second} share subjects by the protocol's design" for first, second in reader.overlaps
    ]
    on_dev = threshold is not None and threshold.source == "dev"
    if on_dev and any({"train", "dev"} == set(pair) for pair in reader.overlaps):
        lines.append(SEEN)
    return (*lines, *reader.notes)
