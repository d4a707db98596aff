"""`metrics.jsonl`: written whole; lines that former versions left torn or doubled are named and left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fas_core.errors import DataError
from fas_core.runs.metrics_file import read_metrics, write_metrics

FIRST, SECOND, THIRD = ({"epoch": epoch, "loss": 1 / epoch} for epoch in (1, 2, 3))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    assert read_metrics(file) == []
    write_metrics(file, [FIRST, SECOND])
    assert file.read_text() == f"{json.dumps(FIRST)}\n{json.dumps(SECOND)}\n"
    assert read_metrics(file) == [FIRST, SECOND]


def test_a_torn_line_is_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A kill half-way through an append, and then another line."""
    file = tmp_path / "metrics.jsonl"
    file.write_text(
        f'{json.dumps(FIRST)}\n{{"epoch": 2, "lo{json.dumps(SECOND)}\n{json.dumps(THIRD)}\n{{"epo'
    )
    assert read_metrics(file) == [FIRST, THIRD]
    warnings = capsys.readouterr().err.splitlines()
    assert warnings == [f"warning: {file}:{line}: torn, perhaps by a kill: left out" for line in (2, 4)]


def test_of_an_epoch_that_is_there_twice_the_last_line_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, again = tmp_path / "metrics.jsonl", {"epoch": 2, "loss": 0.25}
    file.write_text("".join(f"{json.dumps(line)}\n" for line in (FIRST, SECOND, again, THIRD)))
    assert read_metrics(file) == [FIRST, again, THIRD]
    assert f"{file}:2: written again in line 3: left out" in capsys.readouterr().err


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text(f"{json.dumps(FIRST)}\n[]\n")
    with pytest.raises(DataError, match=r"metrics\.jsonl:2: no record of an epoch"):
        read_metrics(file)
