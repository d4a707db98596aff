"""Scores of videos from those of their frames, where a protocol is over videos.

A threshold that was fitted on frames is none for videos: their scores have another distribution, so
dev is aggregated in the same way before a threshold is fitted on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast, get_args

import numpy as np
import pyarrow as pa
from attrs import frozen
from numpy.typing import NDArray

from fas_core.errors import ConfigError, DataError, format_list
from fas_core.scores.table import SCHEMA, ScoreTable

Vote = Literal["mean", "median", "min", "max", "lfv"]
VOTES: tuple[Vote, ...] = get_args(Vote)

CARRIED = tuple(name for name in SCHEMA.names if name not in ("id", "score", "frame"))
ONE = ("label", "species", "subject")
"""What all frames of a video must agree on; of the rest, what they do not agree on becomes unknown."""

ROUNDING = 1e-9
"""How much farther than the limit a score must be, so that one of ten that is just at it is never beyond."""

Scores = NDArray[np.float64]
Codes = NDArray[np.intp]


def parse_aggregate(text: str) -> Vote:
    """`video` (the mean of the frames) or `video:VOTE` taken apart.

    Raises:
        ConfigError: it reads otherwise.
    """
    unit, _, vote = text.partition(":")
    if unit == "video" and (vote or "mean") in VOTES and not text.endswith(":"):
        return cast(Vote, vote or "mean")
    raise ConfigError(f"--aggregate {text!r}: must be video or video:VOTE, VOTE one of {', '.join(VOTES)}")


def by_video(scores: ScoreTable, vote: Vote = "mean", *, name: str = "scores") -> ScoreTable:
    """One row a video, in the order in which videos first occur, `id` its name.

    A frame without a score (NaN) has no vote; a video all of whose frames are without has none either.

    | vote | score of the video |
    |---|---|
    | `mean`, `median`, `min`, `max` | that of its frames' scores |
    | `lfv` | their mean without those more than 3 standard deviations (population) from it |

    `lfv` is the limited frame vote of "PipeNet: Selective Modal Pipeline of Fusion Network for Multi-Modal
    Face Anti-Spoofing" (CVPRW 2020, arXiv 2004.11744), by the rule and the limits that its authors' code
    (github.com/WindQingYang/PipeNet, `meanstd`) has for dev and test. Here all frames beyond the limits are
    left out, once; that code may pass over one that follows another. None of up to 10 frames can be so
    far from their mean, so that `lfv` is `mean` there.

    Args:
        scores: of frames, N rows, each with a `video`.
        vote: how frames make the score of their video.
        name: what an error calls the table.

    Raises:
        DataError: frames without a video, a video whose frames disagree on label, species or subject, or
            one of which there is no mean, as its frames score both infinities.
    """
    if missing := scores.table.column("video").null_count:
        raise DataError(
            f"{name}: {missing} of {len(scores)} samples have no video, so none can be made of them"
        )
    frames = _Frames.of(scores)
    columns = {column: frames.shared(scores, column, name) for column in CARRIED}
    values = frames.each(scores.scores, VOTE[vote])
    if len(wrong := np.flatnonzero(np.isnan(values) & frames.responded(scores.scores))):
        both = columns["video"].take(pa.array(wrong)).to_pylist()
        raise DataError(
            f"{name}: {len(wrong)} videos score inf and -inf, of which there is no {vote}: "
            f"{format_list(both)}"
        )
    return ScoreTable.of({"id": columns["video"], "score": values, **columns}, name=name)


@frozen(eq=False)
class _Frames:
    """Which frames make which video.

    Args:
        codes: (N,) the video of each frame, numbered by first occurrence.
        count: V, how many videos there are.
    """

    codes: Codes
    count: int

    @classmethod
    def of(cls, scores: ScoreTable) -> _Frames:
        codes, values = _encoded(scores.table.column("video"))
        return cls(codes, len(values))

    def responded(self, values: Scores) -> NDArray[np.bool_]:
        """(V,) whether any frame has a score."""
        return np.bincount(self.codes, ~np.isnan(values), self.count) > 0

    def each(self, values: Scores, vote: Callable[[Scores, Codes], Scores]) -> Scores:
        """(V,) the vote of each video's scores; NaN where it has none."""
        there = np.flatnonzero(~np.isnan(values))
        order = there[np.lexsort((values[there], self.codes[there]))]
        codes = self.codes[order]
        found = np.full(self.count, np.nan)
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        if len(starts):
            found[codes[starts]] = vote(values[order], starts)
        return found

    def shared(self, scores: ScoreTable, column: str, name: str) -> pa.Array:
        """What the frames of each video, as far as it is known of them, have in common; else null."""
        codes, values = _encoded(scores.table.column(column))
        lowest, highest = np.full(self.count, len(values)), np.full(self.count, -1)
        known = codes >= 0
        np.minimum.at(lowest, self.codes[known], codes[known])
        np.maximum.at(highest, self.codes[known], codes[known])
        differs = lowest < highest
        if column in ONE and differs.any():
            _, videos = _encoded(scores.table.column("video"))
            wrong = videos.take(pa.array(np.flatnonzero(differs))).to_pylist()
            raise DataError(
                f"{name}: {len(wrong)} videos whose frames differ in {column}: {format_list(wrong)}"
            )
        return values.take(pa.array(highest, mask=differs | (highest < 0)))


def _encoded(column: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """((N,) which of its values each row has, -1 for null; the values by first occurrence)."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(), np.intp), encoded.dictionary


def _counts(values: Scores, starts: Codes) -> Codes:
    return np.diff(starts, append=len(values))


# Votes are given scores sorted within each video, and where each video's begin.


def _mean(values: Scores, starts: Codes) -> Scores:
    with np.errstate(invalid="ignore"):  # inf - inf is NaN, which `by_video` refuses
        return np.add.reduceat(values, starts) / _counts(values, starts)


def _median(values: Scores, starts: Codes) -> Scores:
    counts = _counts(values, starts)
    low, high = values[starts + (counts - 1) // 2], values[starts + counts // 2]
    with np.errstate(invalid="ignore"):
        return np.asarray((low + high) / 2, np.float64)


def _limited(values: Scores, starts: Codes, limit: float = 3.0) -> Scores:
    """PipeNet's limited frame vote; see `by_video`."""
    counts = _counts(values, starts)
    with np.errstate(invalid="ignore"):
        away = values - np.repeat(_mean(values, starts), counts)
        deviation = np.sqrt(_mean(away**2, starts))
        beyond = limit * (1 + ROUNDING) * np.repeat(deviation, counts)
        kept = ~(np.abs(away) > beyond)  # also where a score is infinite, and nothing is a number
        total = np.add.reduceat(np.where(kept, values, 0), starts)
    voting = np.add.reduceat(kept, starts, dtype=np.float64)
    return np.asarray(total / voting, np.float64)


VOTE: dict[Vote, Callable[[Scores, Codes], Scores]] = {
    "mean": _mean,
    "median": _median,
    "min": lambda values, starts: values[starts],
    "max": lambda values, starts: values[starts + _counts(values, starts) - 1],
    "lfv": _limited,
}
