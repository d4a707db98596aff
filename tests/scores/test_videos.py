"""Scores of videos: votes by hand and against a plain loop, and what is refused."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fas_core import ConfigError, DataError
from fas_core.scores import videos
from fas_core.scores.table import ScoreTable
from fas_core.scores.videos import VOTES, Vote, by_video, parse_aggregate


def table(videos: list[str | None], scores: list[float], **columns: Any) -> ScoreTable:
    ids = [f"frame-{row}" for row in range(len(scores))]
    return ScoreTable.of({"id": ids, "score": scores, "video": videos, **columns})


def votes(scores: list[float], vote: Vote) -> float:
    found = by_video(table(["a"] * len(scores), scores), vote)
    assert found.table.column("id").to_pylist() == ["a"]
    return float(found.scores[0])


@pytest.mark.parametrize(
    ("vote", "expected"), [("mean", 0.4), ("median", 0.25), ("min", 0.1), ("max", 1.0), ("lfv", 0.4)]
)
def test_four_frames_by_hand(vote: Vote, expected: float) -> None:
    """0.1, 0.2, 0.3, 1.0: mean 1.6 / 4, median (0.2 + 0.3) / 2."""
    assert votes([0.3, 1.0, 0.1, 0.2], vote) == pytest.approx(expected, abs=1e-15)


def test_the_limited_frame_vote_by_hand() -> None:
    """Eleven frames at 0.5, one at 1.7: mean 0.6, variance (11 * 0.01 + 1.21) / 12 = 0.11, deviation 0.332.

    The limits are 0.6 +- 0.995, so that 1.7 is beyond them and the eleven others vote 0.5.
    """
    assert votes([0.5] * 5 + [1.7] + [0.5] * 6, "lfv") == pytest.approx(0.5, abs=1e-15)


def test_two_frames_beyond_the_limits_are_both_left_out() -> None:
    """Forty at 0 and two at 1: mean 1/21, deviation 0.213, so that 1 is beyond 0.687."""
    assert votes([0.0] * 20 + [1.0, 1.0] + [0.0] * 20, "lfv") == 0


@pytest.mark.parametrize("count", range(1, 11))
def test_up_to_ten_frames_are_all_within_the_limits(count: int) -> None:
    """The farthest that one of ten can be is three deviations exactly, as 1 is from nine times 0."""
    for high in (1.0, 0.3, 1e-9, 7e12):
        assert votes([0.0] * (count - 1) + [high], "lfv") == pytest.approx(high / count, rel=1e-12)


def limited(values: list[float]) -> float:
    mean, deviation = statistics.fmean(values), statistics.pstdev(values)
    return statistics.fmean([value for value in values if abs(value - mean) <= 3 * deviation * (1 + 1e-9)])


PLAIN = {"mean": statistics.fmean, "median": statistics.median, "min": min, "max": max, "lfv": limited}
SCORE = st.one_of(st.floats(-1, 1, width=16), st.sampled_from([0.0, 0.0, 0.0, 1.0, math.nan]))


@settings(deadline=None)
@given(frames=st.lists(st.tuples(st.sampled_from("abc"), SCORE), min_size=1, max_size=60))
@pytest.mark.parametrize("vote", VOTES)
def test_every_vote_is_that_of_a_plain_loop(vote: Vote, frames: list[tuple[str, float]]) -> None:
    videos, scores = [video for video, _ in frames], [score for _, score in frames]
    found = by_video(table([*videos], scores), vote)
    assert found.table.column("id").to_pylist() == list(dict.fromkeys(videos))
    for video, score in zip(found.table.column("id").to_pylist(), found.scores, strict=True):
        there = [value for name, value in frames if name == video and not math.isnan(value)]
        expected = PLAIN[vote](there) if there else math.nan
        assert score == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_what_is_known_of_frames_is_known_of_their_video() -> None:
    found = by_video(
        table(
            ["b", "a", "b", "a", "c"],
            [0.1, 0.9, 0.3, 0.7, math.nan],
            label=[0, 1, None, 1, 0],
            species=["print", "live", "print", "live", None],
            subject=["s2", "s1", "s2", None, None],
            device=["x", "x", "y", "x", None],
            frame=[1, 1, 2, 2, 1],
        )
    ).table
    assert found.column("id").to_pylist() == found.column("video").to_pylist() == ["b", "a", "c"]
    assert found.column("label").to_pylist() == [0, 1, 0]
    assert found.column("species").to_pylist() == ["print", "live", None]
    assert found.column("subject").to_pylist() == ["s2", "s1", None]
    assert found.column("device").to_pylist() == [None, "x", None]
    assert set(found.column("frame").to_pylist()) == {None}
    assert math.isnan(found.column("score")[2].as_py())


def test_frames_without_a_score_have_no_vote() -> None:
    nan = math.nan
    found = by_video(table(["a", "a", "b", "b"], [nan, 0.5, nan, nan], label=[1, 1, 0, 0]))
    assert found.scores[0] == 0.5
    assert found.counts() == {"live": 1, "attack": 0, "unknown": 0, "no_response": 1, "total": 2}


@pytest.mark.parametrize("vote", VOTES)
def test_infinite_scores_are_scores(vote: Vote) -> None:
    assert votes([math.inf, math.inf], vote) == math.inf
    assert votes([0.5, math.inf, math.inf], vote) == (0.5 if vote == "min" else math.inf)


@pytest.mark.parametrize("vote", ["mean", "median", "lfv"])
def test_both_infinities_have_no_mean(vote: Vote) -> None:
    with pytest.raises(DataError, match=f"1 videos score inf and -inf, of which there is no {vote}: a"):
        votes([math.inf, -math.inf], vote)


def test_videos_keep_their_order_and_tables_may_be_empty() -> None:
    assert len(by_video(table([], []))) == 0
    found = by_video(table([f"{row % 7}" for row in range(700)], [row % 7 for row in range(700)]))
    assert found.scores.tolist() == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"label": [1, 0, 0]}, "dev: 1 videos whose frames differ in label: a"),
        ({"species": ["print", "replay", None]}, "dev: 1 videos whose frames differ in species: a"),
        ({"subject": ["1", "2", "2"]}, "dev: 1 videos whose frames differ in subject: a"),
        ({"video": [None, "a", None]}, "dev: 2 of 3 samples have no video"),
    ],
)
def test_frames_that_make_no_videos_are_refused(columns: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        by_video(
            table(**{"videos": ["a", "a", "b"], "scores": [0.1, 0.2, 0.3]} | renamed(columns)), name="dev"
        )


def renamed(columns: dict[str, Any]) -> dict[str, Any]:
    return {"videos" if name == "video" else name: values for name, values in columns.items()}


@pytest.mark.parametrize(
    ("text", "vote"), [("video", "mean"), ("video:median", "median"), ("video:lfv", "lfv")]
)
def test_the_flag(text: str, vote: str) -> None:
    assert parse_aggregate(text) == vote


@pytest.mark.parametrize("text", ["", "frame", "video:", "video:mode", "video:mean:max", ":mean", "Video"])
def test_a_flag_that_reads_otherwise(text: str) -> None:
    with pytest.raises(
        ConfigError, match="must be video or video:VOTE, VOTE one of mean, median, min, max, lfv"
    ):
        parse_aggregate(text)


def test_all_videos_are_combined_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def first(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
        calls.append(len(values))
        return values[starts]

    monkeypatch.setitem(videos.VOTE_FUNCTIONS, "mean", first)
    names = [str(row // 20) for row in range(2000)]
    found = by_video(table(names, [float(row) for row in range(2000)]))
    assert found.scores.tolist() == [20.0 * video for video in range(100)]
    assert calls == [2000]
