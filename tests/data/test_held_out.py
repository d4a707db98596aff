"""What is held out to choose a hyper-parameter: people and sessions, as far as the samples name them."""

from __future__ import annotations

from typing import Any

import pytest

from fas_core.data.held_out import hold_out_people_and_sessions
from fas_core.records.samples import SampleTable


def table(subjects: str | None, sessions: str | None) -> SampleTable:
    """A live sample and an attack for each letter."""
    count = 2 * max(len(subjects or ""), len(sessions or ""), 3)
    columns: dict[str, Any] = {"id": [str(row) for row in range(count)], "label": [0, 1] * (count // 2)}
    columns["rgb"] = columns["id"]
    for name, values in (("subject", subjects), ("session", sessions)):
        if values is not None:
            columns[name] = [value for value in values for _ in range(2)]
    return SampleTable.of(columns, modalities=("rgb",), root="faces")


@pytest.mark.parametrize(
    ("subjects", "sessions", "by", "count"),
    [
        ("aabbcc", "121212", "subject+session", 6),
        ("aabbcc", None, "subject", 3),
        ("aabbcc", "111111", "subject", 3),
        (None, "112233", "session", 3),
        ("aaaaaa", "112233", "session", 3),
        (None, None, "id", 3),
        ("abc", "123", "subject", 3),  # nobody in two sessions, but others remain
    ],
)
def test_what_is_held_out(subjects: str | None, sessions: str | None, by: str, count: int) -> None:
    samples = table(subjects, sessions)
    name, folds = hold_out_people_and_sessions(samples, 3, seed=0)
    if subjects == "abc":
        assert (name, len(folds)) == ("subject+session", 3)
        return
    assert (name, len(folds)) == (by, count)
    for fold in folds:
        assert not (fold.train & fold.held_out).any()
        assert {*samples.labels[fold.train]} == {*samples.labels[fold.held_out]} == {0, 1}
        for column in by.split("+") if by != "id" else []:
            train, held_out = (samples.take(rows).column(column) for rows in (fold.train, fold.held_out))
            assert not set(train) & set(held_out)
