"""Scoring a split of a candidate's data, or of other data, as frames or as videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from fas_core.config.recipe import DatasetChoice
from fas_core.contracts import DatasetReader
from fas_core.data.open import open_choice, replace_dataset
from fas_core.errors import ConfigError, format_list
from fas_core.inference.loaded_model import LoadedModel
from fas_core.inference.score_samples import protocol_notes, score_samples
from fas_core.inference.videos import of_videos
from fas_core.registry import Registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.videos import Vote, by_video

SAID = {"lfv": "limited frame vote"}


@frozen
class Terms:
    """What of a candidate is scored, and how.

    Args:
        split: train, dev or test.
        vote: how frames make the score of their video; None leaves frames.
        given: the modalities that it is given; None for all.
        workers: threads that read images.
    """

    split: str = "test"
    vote: Vote | None = None
    given: tuple[str, ...] | None = None
    workers: int = 2


@frozen(eq=False)
class ScoredSplit:
    """A candidate and what it gave.

    Args:
        candidate: with dev scores and a threshold of the same kind as `scores`.
        scores: of frames, or of videos where those were asked for.
        notes: what has to be said under every table of them.
    """

    candidate: LoadedModel
    scores: ScoreTable
    notes: tuple[str, ...]


def data_of(
    candidate: LoadedModel, data: str | None, registry: Registry, protocols: Mapping[str, str] | None = None
) -> DatasetReader:
    """What it was trained on, or other data as a user names them.

    Args:
        candidate: the model.
        data: other data; None for its own.
        registry: of the data sets.
        protocols: `{data set: protocol}` of other data.

    Raises:
        DataError: there are no such data, or they cannot be read.
        ConfigError: see `other_data`.
    """
    chosen = other_data(candidate, [] if data is None else [data], registry, protocols or {})
    return open_choice(chosen[0] if chosen else candidate.data, registry)


def other_data(
    candidate: LoadedModel, specs: Sequence[str], registry: Registry, protocols: Mapping[str, str]
) -> list[DatasetChoice]:
    """The data sets that a user names, under these protocols.

    Raises:
        DataError: there are no such data.
        ConfigError: a data set has no such protocol, or the protocol's data set is not among them.
    """
    chosen = [replace_dataset(spec, candidate.data, registry, protocols) for spec in specs]
    if unused := sorted(set(protocols) - {choice.name for choice in chosen}):
        raise ConfigError(f"--protocol of {format_list(unused)}: no --data is of that data set")
    return chosen


def score_split(
    candidate: LoadedModel, reader: DatasetReader, terms: Terms, *, description: str = "scoring"
) -> ScoredSplit:
    """Score a split, and where it is asked for make scores of videos of it.

    Raises:
        DataError: the data cannot be read, or make no videos.
        ModelError: less is to be given to a model that needs all.
    """
    scores = score_samples(
        candidate.scorer,
        reader.samples(terms.split),
        model_input=candidate.input,
        only=terms.given,
        workers=terms.workers,
        description=description,
    )
    notes = protocol_notes(reader, candidate.own_threshold)
    if terms.vote is None:
        return ScoredSplit(candidate, scores, notes)
    videos = by_video(scores, terms.vote, name=terms.split)
    said = f"{len(videos)} videos of {len(scores)} frames, scored by {SAID.get(terms.vote, terms.vote)}"
    return ScoredSplit(of_videos(candidate, terms.vote), videos, (said, *notes))
