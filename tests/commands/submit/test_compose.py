"""The text of a challenge's file, and which score tables are refused."""

from __future__ import annotations

import pytest

from fas_core import DataError
from fas_core.contracts import Submission, SubmissionPart
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.submit.compose import (
    compose_submission,
    concatenate_scores,
    format_score,
    list_systems,
)

PART = SubmissionPart("list.txt", ("b", "a"), ("x/b;1", "x/a;2"))


def table(**scores: float) -> ScoreTable:
    return ScoreTable.of({"id": list(scores), "score": list(scores.values())})


def test_each_line_is_followed_by_its_score() -> None:
    scores = table(a=-0.0, b=0.123456)
    submission = Submission((PART,), ("test",))
    assert compose_submission(submission, {"": ("t", scores)}) == "x/b;1 0.123456\nx/a;2 0.0\n"
    rounded = Submission((PART,), ("test",), decimals=2)
    assert compose_submission(rounded, {"": ("t", scores)}) == "x/b;1 0.12\nx/a;2 0.00\n"


def test_each_sub_protocol_has_its_own_system() -> None:
    parts = (SubmissionPart("1.txt", ("a",), ("a",), "4@1"), SubmissionPart("2.txt", ("a",), ("a",), "4@2"))
    submission = Submission(parts, ("test",), decimals=1)
    assert list_systems(submission) == ("4@1", "4@2")
    systems = {"4@1": ("one", table(a=0.1)), "4@2": ("two", table(a=0.2))}
    assert compose_submission(submission, systems) == "a 0.1\na 0.2\n"


def test_frames_make_the_score_of_their_video() -> None:
    frames = ScoreTable.of({"id": ["f1", "f2"], "score": [0.2, 0.6], "video": ["v", "v"]})
    part = SubmissionPart("list.txt", ("v",), ("v",))
    submission = Submission((part,), ("test",), videos=True, decimals=1)
    assert compose_submission(submission, {"": ("t", frames)}) == "v 0.4\n"
    assert compose_submission(submission, {"": ("t", frames)}, "max") == "v 0.6\n"
    assert compose_submission(submission, {"": ("t", table(v=0.3))}, "max") == "v 0.3\n"


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, r"t: 2 of 2 lines of list\.txt have no score: b, a"),
        ({"a": 1.0, "b": 0.5, "c": 0.0}, r"t: 1 of 3 scores are of no line of list\.txt: c"),
        ({"a": float("nan"), "b": float("inf")}, "t: 2 of 2 scores are not a finite number: b, a"),
    ],
)
def test_scores_that_are_not_those_of_the_lines_are_refused(scores: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        compose_submission(Submission((PART,), ("test",)), {"": ("t", table(**scores))})


def test_tables_of_several_splits_are_one_table() -> None:
    joined = concatenate_scores({"dev": table(a=0.1), "test": table(b=0.2)})
    assert joined.table.column("id").to_pylist() == ["a", "b"]
    with pytest.raises(DataError, match="1 ids are in dev and in test: a"):
        concatenate_scores({"dev": table(a=0.1), "test": table(a=0.2)})


def test_a_score_is_never_minus_zero_and_reads_back() -> None:
    assert format_score(-1e-9, 5) == "0.00000"
    assert float(format_score(0.1 + 0.2, None)) == 0.1 + 0.2
