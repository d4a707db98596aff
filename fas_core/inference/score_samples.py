"""Scoring samples, or a split of a model's data or of other data: images in, score table out; no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, compress

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.config.recipe import DatasetChoice
from fas_core.console import console
from fas_core.contracts import DatasetReader, Scorer
from fas_core.data.open import open_choice, replace_dataset
from fas_core.data.reading import batches
from fas_core.descriptors import Dataset
from fas_core.errors import ConfigError, DataError, ModelError, format_list
from fas_core.inference.loaded_model import LoadedModel
from fas_core.inference.photo_batches import photo_batches
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import SampleTable
from fas_core.registry import Registry
from fas_core.runtime.face_selection import FaceSelector
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_core.scores.videos import Vote, by_video

BATCH_SIZE = 32

SEEN = "so the threshold is of people seen in training: --folds subject:5 fits it on others"
"""Note under figures at a threshold fitted on dev, where dev has the people of train."""

VOTE_NAMES = {"lfv": "limited frame vote"}


@frozen
class SplitOptions:
    """Which samples are scored, and how.

    Args:
        split: train, dev or test.
        vote: how the scores of frames make the score of their video; None scores frames.
        only: the modalities that the model is given; None for all that a sample has.
        workers: threads that read images.
    """

    split: str = "test"
    vote: Vote | None = None
    only: tuple[str, ...] | None = None
    workers: int = 2


@frozen(eq=False)
class ScoredSplit:
    """The scores that a model gave to a split, and the notes that belong under every table of them.

    The model's fitting scores and threshold are of the same kind as `scores`: of frames or of videos.
    """

    model: LoadedModel
    scores: ScoreTable
    notes: tuple[str, ...]


def score_samples(
    scorer: Scorer,
    samples: SampleTable,
    *,
    model_input: ModelInput,
    only: Sequence[str] | None = None,
    faces: FaceSelector | None = None,
    workers: int = 2,
    description: str = "scoring",
) -> ScoreTable:
    """Score every sample, in order, and join the scores to what is known of the samples.

    Args:
        faces: crops photos to the face, and a photo without one has no score; None: images are taken as they
            are, or cropped to the sample's box.
        only: the modalities that a model is given which can do without some; None for all that a sample has.
        workers: threads that read images.
        description: name of the task where progress is shown.

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
    if faces is not None:
        return _score_photos(scorer, samples, model_input, faces, workers, description)
    presence = presence_of(samples, model_input, only) if model_input.partial else None
    if presence is None:
        samples.need(model_input.photos)
    scores = np.full(len(samples), np.nan)
    done = 0
    with console.progress(description, len(samples), "samples") as bar:
        for images in batches(samples, model_input, BATCH_SIZE, workers, presence):
            rows = slice(done, done + len(images[modalities[0]]))
            scores[rows] = scorer(images) if presence is None else scorer(images, presence[rows])
            bar.advance(rows.stop - done)
            done = rows.stop
    names = None if presence is None else ["+".join(compress(modalities, row)) for row in presence]
    return ScoreTable.from_samples(samples, scores, names)


def _score_photos(
    scorer: Scorer,
    samples: SampleTable,
    model_input: ModelInput,
    faces: FaceSelector,
    workers: int,
    description: str,
) -> ScoreTable:
    """Score the faces of photos; a photo without a face gets NaN."""
    samples.need(model_input.photos)
    scores = np.full(len(samples), np.nan)
    done = 0
    with console.progress(description, len(samples), "samples") as bar:
        for has_face, images in photo_batches(samples, model_input, faces, BATCH_SIZE, workers):
            rows = done + np.flatnonzero(has_face)
            if len(rows):
                scores[rows] = scorer(images)
            bar.advance(len(has_face))
            done += len(has_face)
    return ScoreTable.from_samples(samples, scores)


def subsets(modalities: Sequence[str]) -> list[tuple[str, ...]]:
    """Return every non-empty subset, the largest first."""
    sizes = range(len(modalities), 0, -1)
    return [subset for size in sizes for subset in combinations(modalities, size)]


def presence_of(
    samples: SampleTable, model_input: ModelInput, only: Sequence[str] | None = None
) -> NDArray[np.bool_]:
    """Return (N, modalities): which modalities of each of N samples the model is given.

    Args:
        model_input: what the model takes.
        only: those that it is given; None for all that a sample has.

    Raises:
        ConfigError: the model takes no such modality.
        DataError: a sample has none of them.
    """
    modalities = model_input.modalities
    if unknown := sorted(set(only or ()) - set(modalities)):
        raise ConfigError(f"the model takes {', '.join(modalities)}: no {format_list(unknown)}")
    wanted = [name for name in modalities if only is None or name in only]
    presence = np.zeros((len(samples), len(modalities)), np.bool_)
    presence[:, [modalities.index(name) for name in wanted]] = samples.presence(
        [model_input.photo(name) for name in wanted]
    )
    return presence


def protocol_notes(reader: DatasetReader, threshold: Threshold | None = None) -> tuple[str, ...]:
    """Return the lines that belong under every table of a data set, whichever split it is of.

    Train and dev chose the weights and the threshold, so the lines name what splits share.
    """
    lines = [
        f"{first} and {second} share subjects by the protocol's design" for first, second in reader.overlaps
    ]
    on_dev = threshold is not None and threshold.source == "dev"
    if on_dev and any({"train", "dev"} == set(pair) for pair in reader.overlaps):
        lines.append(SEEN)
    return (*lines, *reader.notes)


def open_data(
    model: LoadedModel, data: str | None, registry: Registry, protocols: Mapping[str, str] | None = None
) -> DatasetReader:
    """Open the data set that a model was trained on, or other data as a user names them.

    Raises:
        DataError: there are no such data, or they cannot be read.
        ConfigError: see `choose_data`.
    """
    choices = choose_data(model, [] if data is None else [data], registry, protocols or {})
    choice = choices[0] if choices else model.data
    if choice is None:
        raise DataError(f"{model.path}: has no data of its own: give --data NAME, MANIFEST or FOLDER")
    if choice.root is None and not choices and not registry.find(Dataset, choice.name).makes:
        name = choice.name
        raise DataError(
            f"{model.path}: does not say where its data {name!r} lies: give --data {name}:ROOT, or export it "
            "with --keep-data-root"
        )
    return open_choice(choice, registry)


def choose_data(
    model: LoadedModel, specs: Sequence[str], registry: Registry, protocols: Mapping[str, str]
) -> list[DatasetChoice]:
    """Return the data sets that a user names, under these protocols.

    Raises:
        DataError: there are no such data.
        ConfigError: a data set has no such protocol, or the protocol's data set is not among them.
    """
    choices = [replace_dataset(spec, model.data, registry, protocols) for spec in specs]
    if unused := sorted(set(protocols) - {choice.name for choice in choices}):
        raise ConfigError(f"--protocol of {format_list(unused)}: no --data is of that data set")
    return choices


def score_split(
    model: LoadedModel, reader: DatasetReader, options: SplitOptions, *, description: str = "scoring"
) -> ScoredSplit:
    """Score a split; where `options.vote` says so, make scores of videos of those of frames.

    Raises:
        DataError: the data cannot be read, or the samples have no videos.
        ModelError: fewer modalities are to be given to a model that needs all.
    """
    scores = score_samples(
        model.scorer,
        reader.samples(options.split),
        model_input=model.input,
        only=options.only,
        faces=model.faces,
        workers=options.workers,
        description=description,
    )
    notes = (*protocol_notes(reader, model.own_threshold), *filter(None, [model.note]))
    if options.vote is None:
        return ScoredSplit(model, scores, notes)
    videos = by_video(scores, options.vote, name=options.split)
    vote = VOTE_NAMES.get(options.vote, options.vote)
    note = f"{len(videos)} videos of {len(scores)} frames, scored by {vote}"
    return ScoredSplit(model.of_videos(options.vote), videos, (note, *notes))
