"""Scores of videos, computed from the scores of their frames, for protocols over videos.

A threshold that was fitted on frames does not fit videos, whose scores have another distribution:
aggregate dev in the same way before fitting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fas_core.errors import ConfigError, DataError, format_list
from fas_core.scores.ranked import Floats, Positions
from fas_core.scores.table import SCHEMA, ScoreTable

Vote = Literal["mean", "median", "min", "max", "lfv"]
VOTES: tuple[Vote, ...] = get_args(Vote)

Mask = NDArray[np.bool_]
VoteFunction = Callable[[Floats, Positions], Floats]
"""Takes scores sorted within each video, and the index of each video's first score."""


def parse_aggregate(text: str) -> Vote:
    """Parse `video` (the mean of the frames) or `video:VOTE`; raise ConfigError for other text."""
    unit, _, vote = text.partition(":")
    if unit == "video" and (vote or "mean") in VOTES and not text.endswith(":"):
        return cast(Vote, vote or "mean")
    raise ConfigError(f"--aggregate {text!r}: must be video or video:VOTE, VOTE one of {', '.join(VOTES)}")


def by_video(scores: ScoreTable, vote: Vote = "mean", *, name: str = "scores") -> ScoreTable:
    """Return one row per video, in order of first occurrence; its `id` is the video's name.

    Other columns keep the value that all frames of a video share, and become null where frames differ.
    Its score is the mean, median, min or max of its frames' scores, or for `lfv` their mean without those
    more than 3 standard deviations (population) from it. `lfv` is the limited frame vote of "PipeNet:
    Selective Modal Pipeline of Fusion Network for Multi-Modal Face Anti-Spoofing" (CVPRW 2020, arXiv
    2004.11744), by the rule and the limits that its authors' code (github.com/WindQingYang/PipeNet,
    `meanstd`) has for dev and test. Here all frames beyond the limits are excluded, once; that code can miss
    a frame that follows an excluded one. With up to 10 frames none can be that far, so `lfv` equals `mean`.

    Raises DataError for frames without a video, a video whose frames differ in label, species or subject, or
    one with scores of inf and -inf, which have no mean. `name` is the table's, for messages.
    """
    if missing := scores.table.column("video").null_count:
        raise DataError(
            f"{name}: {missing} of {len(scores)} samples have no video, so none can be made of them"
        )
    codes, videos = _encode(scores.table.column("video"))
    columns = {}
    for column in [name for name in SCHEMA.names if name not in ("id", "score", "frame")]:
        columns[column], differs = _merge_column(scores.table.column(column), codes, len(videos))
        if column in ("label", "species", "subject") and differs.any():
            wrong = videos.filter(pa.array(differs)).to_pylist()
            raise DataError(
                f"{name}: {len(wrong)} videos whose frames differ in {column}: {format_list(wrong)}"
            )
    responded = ~np.isnan(scores.scores)
    values = _vote(scores.scores[responded], codes[responded], len(videos), VOTE_FUNCTIONS[vote])
    undefined = np.isnan(values) & (np.bincount(codes, responded, len(videos)) > 0)
    if undefined.any():
        raise DataError(
            f"{name}: {undefined.sum()} videos score inf and -inf, of which there is no {vote}: "
            f"{format_list(videos.filter(pa.array(undefined)).to_pylist())}"
        )
    return ScoreTable.of({"id": videos, "score": values, **columns}, name=name)


def _merge_column(column: pa.ChunkedArray, videos: Positions, count: int) -> tuple[pa.Array, Mask]:
    """((V,) the value that each video's frames share, nulls aside, null where they differ; where they do)."""
    codes, values = _encode(column)
    lowest, highest = np.full(count, len(values)), np.full(count, -1)
    known = codes >= 0
    np.minimum.at(lowest, videos[known], codes[known])
    np.maximum.at(highest, videos[known], codes[known])
    differs = lowest < highest
    return values.take(pa.array(highest, mask=differs | (highest < 0))), differs


def _vote(values: Floats, videos: Positions, count: int, vote: VoteFunction) -> Floats:
    """(V,) the vote of each video's scores; NaN for a video without any."""
    order = np.lexsort((values, videos))
    starts = np.flatnonzero(np.diff(videos[order], prepend=-1))
    result = np.full(count, np.nan)
    if len(starts):
        result[videos[order][starts]] = vote(values[order], starts)
    return result


def _encode(column: pa.ChunkedArray) -> tuple[Positions, pa.Array]:
    """((N,) the index of each row's value, -1 for null; the values by first occurrence)."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(), np.intp), encoded.dictionary


def _mean(values: Floats, starts: Positions) -> Floats:
    with np.errstate(invalid="ignore"):  # inf - inf is NaN, which `by_video` refuses
        return np.add.reduceat(values, starts) / _counts(values, starts)


def _median(values: Floats, starts: Positions) -> Floats:
    counts = _counts(values, starts)
    low, high = values[starts + (counts - 1) // 2], values[starts + counts // 2]
    with np.errstate(invalid="ignore"):
        return np.asarray((low + high) / 2, np.float64)


def _limited_mean(values: Floats, starts: Positions) -> Floats:
    """PipeNet's limited frame vote; see `by_video`."""
    counts = _counts(values, starts)
    with np.errstate(invalid="ignore"):
        distances = np.abs(values - np.repeat(_mean(values, starts), counts))
        deviations = np.sqrt(_mean(distances**2, starts))
        # One of ten frames can lie exactly on the limit, so rounding is allowed for. A negation, so that
        # NaN, the distance of infinite scores, is within the limit.
        within = ~(distances > 3 * (1 + 1e-9) * np.repeat(deviations, counts))
        total = np.add.reduceat(np.where(within, values, 0), starts)
    return np.asarray(total / np.add.reduceat(within, starts, dtype=np.float64), np.float64)


def _counts(values: Floats, starts: Positions) -> Positions:
    return np.diff(starts, append=len(values))


VOTE_FUNCTIONS: dict[Vote, VoteFunction] = {
    "mean": _mean,
    "median": _median,
    "min": lambda values, starts: values[starts],
    "max": lambda values, starts: values[starts + _counts(values, starts) - 1],
    "lfv": _limited_mean,
}
