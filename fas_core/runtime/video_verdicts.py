"""One verdict for each video, or for each face in it, from the results of its frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Literal, cast

import numpy as np
from attrs import frozen

from fas_core.errors import ConfigError
from fas_core.runtime.prediction import FaceResult, FrameCounts, Prediction
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_core.scores.videos import VOTES, Vote, by_video

Unit = Literal["video", "track"]


@frozen
class Aggregation:
    """How the frames of a video become verdicts.

    Args:
        unit: what has a verdict, a video or each face that is followed in it.
        vote: of the scores of the frames, see `fas_core.scores.videos`.
    """

    unit: Unit
    vote: Vote = "mean"

    @classmethod
    def parse(cls, text: str) -> Aggregation:
        """Parse `video`, `track`, `video:VOTE` or `track:VOTE`; raise ConfigError for other text."""
        unit, colon, vote = text.partition(":")
        if unit not in ("video", "track") or (vote if colon else "mean") not in VOTES:
            votes = ", ".join(VOTES)
            raise ConfigError(
                f"--aggregate {text!r}: must be video, track or either with :VOTE, one of {votes}"
            )
        return cls(cast(Unit, unit), cast(Vote, vote or "mean"))

    def __str__(self) -> str:
        return f"{self.unit}:{self.vote}"

    def apply(self, rows: Sequence[FaceResult], rule: Threshold) -> list[FaceResult]:
        """Return one row for each video or track, in order of first occurrence; other rows as they are.

        A video without any face has one row in any case. `rule` has the threshold of the votes.
        """
        groups: dict[object, list[FaceResult]] = {}
        frames: dict[str, set[int]] = {}
        with_track = {row.video for row in rows if row.track is not None}
        for row in rows:
            if row.video is None:
                groups[id(row)] = [row]
                continue
            frames.setdefault(row.video, set()).update([] if row.frame is None else [row.frame])
            if self.unit == "video":
                groups.setdefault((row.video, None), []).append(row)
            elif row.track is not None or row.video not in with_track:
                groups.setdefault((row.video, row.track), []).append(row)
        votes = self._vote(list(groups.values()))
        return [
            group[0]
            if group[0].video is None
            else _decide(group, score, len(frames[group[0].video]), self, rule)
            for group, score in zip(groups.values(), votes, strict=True)
        ]

    def _vote(self, groups: Sequence[Sequence[FaceResult]]) -> list[float]:
        """Return the vote of each group's scores; NaN for a group without any."""
        scores = [
            (str(number), np.nan if row.prediction is None else row.prediction.score)
            for number, group in enumerate(groups)
            for row in group
        ]
        videos, values = zip(*scores, strict=True) if scores else ((), ())
        ids = [str(index) for index in range(len(scores))]
        table = ScoreTable.of({"id": ids, "score": values, "video": videos})
        return [float(score) for score in by_video(table, self.vote).scores]


def _decide(
    rows: Sequence[FaceResult], score: float, frames: int, aggregation: Aggregation, rule: Threshold
) -> FaceResult:
    """Return the verdict on a video or a track by the vote of its scores, NaN where it has none."""
    scored = [(row, row.prediction) for row in rows if row.prediction is not None]
    track = rows[0].track if aggregation.unit == "track" else None
    prediction, reason = None, Counter(row.reason for row in rows).most_common(1)[0][0]
    if scored:
        distances = [each.novelty for _, each in scored if each.novelty is not None]
        novelty = median(distances) if distances else None
        prediction = Prediction(score, rule.value, rule.reject, novelty, scored[0][1].novelty_limit)
        reason = prediction.reason
    video = rows[0].video or ""
    return FaceResult(
        name=video if track is None else f"{video}#{track}",
        images={},
        box=None,
        prediction=prediction,
        reason=reason,
        detector=next((row.detector for row in rows if row.detector is not None), None),
        video=video,
        track=track,
        frames=FrameCounts(frames, len({row.frame for row, _ in scored})),
    )
