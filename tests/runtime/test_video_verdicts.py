"""Verdicts on videos and tracks against the votes of score tables over the same frames."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from fas_core.errors import ConfigError
from fas_core.runtime.prediction import FaceResult, FrameCounts, Prediction
from fas_core.runtime.video_verdicts import Aggregation
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_core.scores.videos import Vote, by_video

RULE = Threshold(0.5, "fixed:0.5", "given")


def row(video: str | None, frame: int | None, score: float | None, **fields: Any) -> FaceResult:
    prediction = None if score is None else Prediction(score, 0.5, None, fields.pop("novelty", None), 2.0)
    name = f"{video}:{frame}" if video else "a.png"
    return FaceResult(name, {}, None, prediction, video=video, frame=frame, **fields)


def film(video: str, scores: list[float | None], **fields: Any) -> list[FaceResult]:
    return [
        row(video, n, score, reason="" if score else "no face found", **fields)
        for n, score in enumerate(scores, 1)
    ]


@pytest.mark.parametrize("vote", get_args(Vote))
def test_a_video_has_the_vote_of_the_same_frames_in_a_score_file(vote: Vote) -> None:
    random = np.random.default_rng(3)
    films = {
        name: random.random(count).tolist() for name, count in (("a.mp4", 40), ("b.mp4", 1), ("c.mp4", 12))
    }
    films["a.mp4"][7] = 9.0  # which lfv leaves out
    rows = [result for name, scores in films.items() for result in film(name, scores, track=1)]
    table = ScoreTable.of(
        {
            "id": [each.name for each in rows],
            "score": [score for scores in films.values() for score in scores],
            "video": [each.video for each in rows],
        }
    )
    verdicts = Aggregation("video", vote).apply(rows, RULE)
    assert [verdict.name for verdict in verdicts] == list(films)
    assert [verdict.prediction and verdict.prediction.score for verdict in verdicts] == by_video(
        table, vote
    ).scores.tolist()


def test_frames_without_a_score_are_counted() -> None:
    rows = [
        *film("a.mp4", [0.2, None, 0.4, None], track=1),
        *film("b.mp4", [None, None]),
        FaceResult("c.mp4", {}, None, None, "cannot be opened", video="c.mp4"),
    ]
    a, b, c = Aggregation("video").apply(rows, RULE)
    assert a.prediction is not None
    assert (a.prediction.score, a.prediction.verdict) == (pytest.approx(0.3), "attack")
    assert (a.video, a.frame, a.track, a.frames) == ("a.mp4", None, None, FrameCounts(4, 2))
    assert (b.prediction, b.reason, b.frames) == (None, "no face found", FrameCounts(2, 0))
    assert (c.prediction, c.reason, c.frames) == (None, "cannot be opened", FrameCounts(0, 0))
    assert a.to_json()["scored"] == 2
    assert b.to_row()["frames"] == 2


def test_each_track_has_a_verdict_and_a_video_without_any_face_one() -> None:
    rows = [
        row("a.mp4", 1, 0.9, track=1),
        row("a.mp4", 1, 0.1, track=2),
        row("a.mp4", 2, 0.7, track=1),
        row("a.mp4", 3, None, reason="no face found"),
        row("b.mp4", 1, None, reason="no face found"),
    ]
    first, second, none = Aggregation.parse("track:max").apply(rows, RULE)
    assert [(each.name, each.track, each.frames) for each in (first, second, none)] == [
        ("a.mp4#1", 1, FrameCounts(3, 2)),
        ("a.mp4#2", 2, FrameCounts(3, 1)),
        ("b.mp4", None, FrameCounts(1, 0)),
    ]
    assert [each.prediction and each.prediction.verdict for each in (first, second, none)] == [
        "live",
        "attack",
        None,
    ]
    (whole, _) = Aggregation("video").apply(rows, RULE)
    assert whole.prediction is not None
    assert whole.prediction.score == pytest.approx((0.9 + 0.1 + 0.7) / 3)
    assert whole.frames == FrameCounts(3, 2)


def test_photos_stay_rows_of_their_own_and_the_order_that_of_the_inputs() -> None:
    photo, other = row(None, None, 0.2), row(None, None, None)
    rows = [photo, *film("a.mp4", [0.8, 0.6]), other]
    verdicts = Aggregation("video").apply(rows, RULE)
    assert [verdict.name for verdict in verdicts] == ["a.png", "a.mp4", "a.png"]
    assert (verdicts[0] is photo, verdicts[2] is other) == (True, True)
    assert Aggregation("track").apply([photo], RULE) == [photo]
    assert Aggregation("track").apply([], RULE) == []


def test_a_vote_near_the_threshold_is_uncertain_and_novelty_is_the_median() -> None:
    rule = Threshold(0.5, "fixed:0.5", "given", RejectBand(0.4, 0.6, "0.4:0.6", "given"))
    rows = [row("a.mp4", n, 0.5, novelty=distance) for n, distance in enumerate((1.0, 2.5, 9.0), 1)]
    (verdict,) = Aggregation("video").apply(rows, rule)
    assert verdict.prediction is not None
    assert (verdict.prediction.verdict, verdict.prediction.novelty) == ("uncertain", 2.5)
    assert verdict.prediction.is_novel
    assert verdict.reason


@pytest.mark.parametrize("text", ["", "frame", "video:", "track:often", "video:mean:max", "mean"])
def test_a_bad_aggregation_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="must be video, track or either with :VOTE, one of mean, median"):
        Aggregation.parse(text)
    assert str(Aggregation.parse("track")) == "track:mean"
    assert str(Aggregation.parse("video:lfv")) == "video:lfv"
