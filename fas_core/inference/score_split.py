"""Scoring a split of a model's data, or of other data, as frames or as videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from fas_core.config.recipe import DatasetChoice
from fas_core.contracts import DatasetReader
from fas_core.data.open import open_choice, replace_dataset
from fas_core.errors import ConfigError, format_list
from fas_core.inference.loaded_model import LoadedModel
from fas_core.inference.score_samples import protocol_notes, score_samples
from fas_core.registry import Registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.videos import Vote, by_video

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
    """The scores that a model gave to a split.

    Args:
        model: with fitting scores and a threshold of the same kind as `scores`: frames or videos.
        scores: of frames or of videos.
        notes: lines that belong under every table of these scores.
    """

    model: LoadedModel
    scores: ScoreTable
    notes: tuple[str, ...]


def open_data(
    model: LoadedModel, data: str | None, registry: Registry, protocols: Mapping[str, str] | None = None
) -> DatasetReader:
    """Open the data set that a model was trained on, or other data as a user names them.

    Args:
        model: the model.
        data: other data; None for its own.
        registry: of the data sets.
        protocols: `{data set: protocol}` of other data.

    Raises:
        DataError: there are no such data, or they cannot be read.
        ConfigError: see `choose_data`.
    """
    choices = choose_data(model, [] if data is None else [data], registry, protocols or {})
    return open_choice(choices[0] if choices else model.data, registry)


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
        workers=options.workers,
        description=description,
    )
    notes = protocol_notes(reader, model.own_threshold)
    if options.vote is None:
        return ScoredSplit(model, scores, notes)
    videos = by_video(scores, options.vote, name=options.split)
    vote = VOTE_NAMES.get(options.vote, options.vote)
    note = f"{len(videos)} videos of {len(scores)} frames, scored by {vote}"
    return ScoredSplit(model.of_videos(options.vote), videos, (note, *notes))
