"""Scoring samples, or a split of a model's data or of other data: images in, score table out; no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, compress

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.console import console
from fas_core.contracts import DatasetReader, Scorer
from fas_core.data.reading import batches
from fas_core.errors import ConfigError, DataError, ModelError, format_list
from fas_core.inference.loaded_model import LoadedModel
from fas_core.inference.peers import ALONE, Peers, in_step, join_scores, own_rows
from fas_core.inference.photo_batches import photo_batches
from fas_core.progress import Progress
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import SampleTable
from fas_core.runtime.face_selection import FaceSelector
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_core.scores.videos import Vote, by_video

BATCH_SIZE = 32

VOTE_NAMES = {"lfv": "limited frame vote"}


@frozen
class SplitOptions:
    """Which samples are scored, and how.

    Args:
        split: train, dev or test.
        vote: how the scores of frames make the score of their video; None scores frames.
        only: the modalities that the model is given; None for all that a sample has.
        workers: threads that read images.
        excluded: subjects that are not scored, as a threshold was calibrated on their photos.
        elsewhere: scores the samples in place of this process, as `run_parts` does.
        peers: processes that score together.
    """

    split: str = "test"
    vote: Vote | None = None
    only: tuple[str, ...] | None = None
    workers: int = 2
    excluded: frozenset[str] = frozenset()
    elsewhere: Callable[[SampleTable], ScoreTable] | None = None
    peers: Peers = ALONE


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
    peers: Peers = ALONE,
) -> ScoreTable:
    """Score every sample, in order, and join the scores to what is known of the samples.

    Of several processes each scores a share of them, and returns the scores of all.

    Args:
        faces: crops photos to the face, and a photo without one has no score; None: images are taken as they
            are, or cropped to the sample's box.
        only: the modalities that a model is given which can do without some; None for all that a sample has.
        workers: threads that read images.
        description: name of the task where progress is shown.
        peers: this process, and those that score together with it.

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
    presence = presence_of(samples, model_input, only) if model_input.partial and faces is None else None
    if presence is None:
        samples.need(model_input.photos)
    rows = own_rows(len(samples), peers)
    share = samples if peers.count == 1 else samples.take(rows)
    with console.progress(description, len(share), "samples") as bar:
        if faces is not None:
            scores = _score_photos(scorer, share, model_input, faces, workers, bar, peers)
        else:
            present = None if presence is None else presence[rows]
            scores = _score_faces(scorer, share, model_input, present, workers, bar, peers)
    names = None if presence is None else ["+".join(compress(modalities, row)) for row in presence]
    return ScoreTable.from_samples(samples, join_scores(scores, len(samples), peers), names)


def _score_faces(
    scorer: Scorer,
    samples: SampleTable,
    model_input: ModelInput,
    presence: NDArray[np.bool_] | None,
    workers: int,
    bar: Progress,
    peers: Peers,
) -> NDArray[np.float64]:
    """Score samples that are face crops, or have a box."""
    scores = np.full(len(samples), np.nan)
    done = 0
    for images in in_step(batches(samples, model_input, BATCH_SIZE, workers, presence), peers):
        rows = slice(done, done + len(images[model_input.modalities[0]]))
        scores[rows] = scorer(images) if presence is None else scorer(images, presence[rows])
        bar.advance(rows.stop - done)
        done = rows.stop
    return scores


def _score_photos(
    scorer: Scorer,
    samples: SampleTable,
    model_input: ModelInput,
    faces: FaceSelector,
    workers: int,
    bar: Progress,
    peers: Peers,
) -> NDArray[np.float64]:
    """Score the faces of photos; a photo without a face gets NaN."""
    scores = np.full(len(samples), np.nan)
    done = 0
    photos = photo_batches(samples, model_input, faces, BATCH_SIZE, workers)
    for has_face, images in in_step(photos, peers):
        rows = done + np.flatnonzero(has_face)
        if len(rows):
            scores[rows] = scorer(images)
        bar.advance(len(has_face))
        done += len(has_face)
    return scores


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


def protocol_notes(reader: DatasetReader) -> tuple[str, ...]:
    """Return the lines that belong under every table of a data set, whichever split it is of.

    Train and dev chose the weights and the threshold, so the lines name what splits share.
    """
    lines = [
        f"{first} and {second} share subjects by the protocol's design" for first, second in reader.overlaps
    ]
    return (*lines, *reader.notes)


def threshold_notes(threshold: Threshold | None, note: str) -> tuple[str, ...]:
    """Return the note about a threshold, as a line under tables, where it is that of training."""
    fitted = threshold is not None and (
        threshold.source == "dev" or threshold.source.startswith("out-of-fold")
    )
    return (note,) if fitted and note else ()


def score_split(
    model: LoadedModel, reader: DatasetReader, options: SplitOptions, *, description: str = "scoring"
) -> ScoredSplit:
    """Score a split; where `options.vote` says so, make scores of videos of those of frames.

    Raises:
        DataError: the data cannot be read, or the samples have no videos.
        ModelError: fewer modalities are to be given to a model that needs all.
    """
    samples = reader.samples(options.split)
    samples = without_people(samples, options.excluded) if options.excluded else samples
    scores = (
        options.elsewhere(samples)
        if options.elsewhere is not None
        else score_samples(
            model.scorer,
            samples,
            model_input=model.input,
            only=options.only,
            faces=model.faces,
            workers=options.workers,
            description=description,
            peers=options.peers,
        )
    )
    notes = (*protocol_notes(reader), *threshold_notes(model.own_threshold, model.threshold_note))
    notes += (model.note,) if model.note else ()
    if options.vote is None:
        return ScoredSplit(model, scores, notes)
    videos = by_video(scores, options.vote, name=options.split)
    vote = VOTE_NAMES.get(options.vote, options.vote)
    note = f"{len(videos)} videos of {len(scores)} frames, scored by {vote}"
    return ScoredSplit(model.of_videos(options.vote), videos, (note, *notes))


def without_people(samples: SampleTable, people: frozenset[str]) -> SampleTable:
    """Return the samples of other people.

    Raises:
        DataError: a sample has no subject, so it may be of these people; or no sample remains.
    """
    subjects = samples.column("subject")
    if None in subjects:
        raise DataError(
            f"{samples.root}: {subjects.count(None)} of {len(subjects)} samples have no subject, so they may "
            "be of the people of the calibration"
        )
    remaining = samples.take([row for row, subject in enumerate(subjects) if subject not in people])
    if not len(remaining):
        raise DataError(
            f"{samples.root}: all samples are of people of the calibration: {format_list(sorted(people))}"
        )
    return remaining
