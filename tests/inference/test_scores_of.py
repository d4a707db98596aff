"""Scores of files, run folders and exported models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fas_core.errors import DataError, FasError
from fas_core.inference.scores_of import names_of, read_file, scores_of, stored_scores
from fas_core.scores.table import ScoreTable


@pytest.fixture
def table() -> ScoreTable:
    return ScoreTable.of({"id": ["a", "b"], "score": [0.25, 0.75], "label": [0, 1]})


def test_a_score_file_is_read(tmp_path: Path, table: ScoreTable) -> None:
    table.write(tmp_path / "dev.csv")
    scores = scores_of(tmp_path / "dev.csv", "test")
    assert scores.scores.tolist() == [0.25, 0.75]
    assert scores.labels.tolist() == [0, 1]


def test_stored_scores_of_a_run_are_used(tmp_path: Path, table: ScoreTable) -> None:
    (tmp_path / "scores").mkdir()
    table.write(tmp_path / "scores" / "dev.csv")
    stored = stored_scores(tmp_path, "dev")
    assert stored is not None
    assert stored.table.equals(table.table)
    assert stored_scores(tmp_path, "test") is None
    assert scores_of(tmp_path, "dev").table.equals(table.table)


def test_missing_files_runs_and_models_are_refused(tmp_path: Path) -> None:
    for target in (tmp_path / "none.csv", tmp_path / "none.onnx", tmp_path):
        with pytest.raises(FasError, match=str(target)):
            scores_of(target, "test")


def test_a_file_without_ids_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text("label,score\n1,0.9\n0,0.2\n")
    with pytest.raises(DataError, match="no ids, by which scores are joined"):
        read_file(tmp_path / "plain.csv")


def test_labels_are_joined_from_a_list(tmp_path: Path) -> None:
    (tmp_path / "system.txt").write_text("x/1.jpg 0.9\nx/2.jpg 0.2\n")
    (tmp_path / "labels.txt").write_text("x/2.jpg 0\nx/1.jpg 1\n")
    scores = read_file(tmp_path / "system.txt", tmp_path / "labels.txt")
    np.testing.assert_array_equal(scores.scores, [0.9, 0.2])
    np.testing.assert_array_equal(scores.labels, [1, 0])


def test_names_have_as_few_components_as_differ(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one/a.csv", "one/b.csv", "two/a.csv")]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text("id,score\n")
    assert names_of(paths[:2]) == ["a", "b"]
    assert names_of(paths) == ["one/a", "one/b", "two/a"]
    assert names_of([tmp_path / "one", tmp_path / "two"]) == ["one", "two"]
    assert names_of([paths[0], tmp_path / "two"]) == ["a", "two"]


def test_a_path_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="given twice"):
        names_of([tmp_path / "a", tmp_path / "b" / ".." / "a"])
