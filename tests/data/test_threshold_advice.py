"""Whether a threshold is recommended: by the sessions of what it is fitted on, and of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.memory_dataset import MemoryDataset

from fas_core.data.threshold_advice import ThresholdAdvice, advise
from fas_core.errors import DataError
from fas_core.records.samples import SampleTable
from fas_core.scores.table import ScoreTable

Person = tuple[str, str | None]


def read_people(people: dict[str, list[Person]]) -> MemoryDataset:
    """Return a data set of people in sessions, a live sample and an attack for each."""
    return MemoryDataset({split: table(pairs, split) for split, pairs in people.items()})


def table(pairs: list[Person], split: str) -> SampleTable:
    rows = [(person, session, label) for person, session in pairs for label in (1, 0)]
    columns: dict[str, list[Any]] = {
        "id": [f"{split}{row}" for row in range(len(rows))],
        "rgb": [f"{split}{row}.png" for row in range(len(rows))],
        "label": [label for *_, label in rows],
        "subject": [person for person, *_ in rows],
        "session": [session for _, session, _ in rows],
    }
    return SampleTable.of(columns, modalities=("rgb",), root=Path("faces"))


def sessions(people: str, *names: str) -> list[Person]:
    return [(person, name) for person in people for name in names]


TRAIN = sessions("abcd", "1", "2")
THREE = sessions("abcd", "1", "2", "4")
UNKNOWN: list[Person] = [(person, None) for person in "abcd"]


def recommendation(people: dict[str, list[Person]], folds: str | None = None) -> bool | None:
    advice = advise(read_people(people), folds, seed=0)
    assert advice is not None
    return advice.recommended


@pytest.mark.parametrize(
    ("people", "folds", "expected"),
    [
        ({"train": TRAIN, "dev": sessions("ab", "3")}, None, True),  # as NUAA: other session, same people
        ({"train": TRAIN, "dev": sessions("xy", "2")}, None, False),  # other people, same session
        ({"train": TRAIN, "dev": sessions("xy", "2", "3")}, None, False),
        ({"train": TRAIN, "dev": UNKNOWN}, None, None),
        ({"train": UNKNOWN, "dev": sessions("xy", "2")}, None, None),
        ({"train": TRAIN}, "subject:2", False),
        ({"train": TRAIN}, "session:2", False),  # its models are trained on one session
        ({"train": THREE}, "session", True),
        ({"train": THREE}, "subject+session:2", True),
        ({"train": THREE, "dev": sessions("ab", "2", "3")}, "subject+session:2", True),
        ({"train": sessions("ab", "1"), "dev": sessions("ab", "3")}, None, False),
        ({"train": UNKNOWN}, "subject:2", None),
        ({"train": [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]}, "subject:2", True),  # one session each
    ],
)
def test_a_threshold_is_recommended_where_its_sessions_are_not_in_training(
    people: dict[str, list[Person]], folds: str | None, expected: bool | None
) -> None:
    assert recommendation(people, folds) is expected


def test_the_reason_counts_the_samples_of_sessions_in_training() -> None:
    advice = advise(read_people({"train": TRAIN, "dev": sessions("xy", "2", "3")}), None, seed=0)
    assert advice is not None
    assert advice.note.startswith("threshold not recommended: 4 of its 8 samples are of sessions")


def test_without_sessions_shared_people_are_named() -> None:
    advice = advise(read_people({"train": UNKNOWN, "dev": UNKNOWN[:2]}), None, seed=0)
    assert advice is not None
    assert advice.note.startswith("dev shares 2 of its 2 subjects with train (--folds subject:5)")
    assert "sessions are not known" in advice.note


def test_there_is_no_advice_without_dev() -> None:
    assert advise(read_people({"train": TRAIN, "test": TRAIN}), None, seed=0) is None


def test_a_threshold_that_does_not_suit_every_fold_is_not_recommended() -> None:
    """The classes of each fold lie apart; the second fold's attacks are where others have live samples."""
    reader = read_people({"train": THREE})
    samples = reader.samples("train")
    sessions_of = np.array(samples.column("session"))
    order = np.where(samples.labels == 1, 0.6, 0.4)
    for shift, expected in ((0.0, True), (0.3, False)):
        scores = ScoreTable.from_samples(samples, order + shift * (sessions_of == "2"))
        advice = advise(reader, "session", 0, scores)
        assert advice is not None
        assert advice.recommended is expected
    assert "own 0.0 %" in advice.reason


def test_it_is_stored_as_json() -> None:
    for advice in (ThresholdAdvice(True, "a"), ThresholdAdvice(False, "b"), ThresholdAdvice(None, "c")):
        assert ThresholdAdvice.from_json(advice.to_json()) == advice
    assert ThresholdAdvice.from_json(None) is None


def test_sessions_that_are_not_known_cannot_be_held_out() -> None:
    for folds in ("session", "session:2", "subject+session:2"):
        with pytest.raises(DataError, match="it is not known of 8 of 8 training samples"):
            advise(read_people({"train": UNKNOWN}), folds, seed=0)
