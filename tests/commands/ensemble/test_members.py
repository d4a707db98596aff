"""Members' scores from files and run folders, and their dev scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fas_core.errors import DataError, FasError
from fas_plugins.commands.ensemble.members import ScoreSources


def score_file(path: Path, scores: Sequence[float]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"s{row},{score},{row}\n" for row, score in enumerate(scores)]
    path.write_text("id,score,label\n" + "".join(lines))
    return path


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """As much of two runs as is read: scores of dev and test."""
    for run, base in (("a", 0.1), ("b", 0.2)):
        score_file(tmp_path / run / "scores/test.csv", [base, base + 0.5])
        score_file(tmp_path / run / "scores/dev.csv", [base, base + 0.7])
    return [tmp_path / "a", tmp_path / "b"]


def test_runs_have_scores_of_each_split(runs: list[Path]) -> None:
    sources = ScoreSources(runs)
    assert sources.names() == ["a", "b"]
    assert sources.read().scores == pytest.approx(np.array([[0.1, 0.6], [0.2, 0.7]]))
    dev = sources.read_dev()
    assert dev is not None
    assert dev.names == ("a (dev)", "b (dev)")
    assert dev.scores == pytest.approx(np.array([[0.1, 0.8], [0.2, 0.9]]))
    assert ScoreSources(runs, "dev").read().scores.tolist() == dev.scores.tolist()


def test_given_dev_files_come_before_those_of_the_runs(runs: list[Path], tmp_path: Path) -> None:
    files = [score_file(tmp_path / f"{name}_dev.csv", [0.3, 0.4]) for name in "ab"]
    dev = ScoreSources(runs, dev=files).read_dev()
    assert dev is not None
    assert dev.scores.tolist() == [[0.3, 0.4], [0.3, 0.4]]


def test_score_files_have_no_dev_scores_of_their_own(tmp_path: Path) -> None:
    files = [score_file(tmp_path / f"{name}.csv", [0.3, 0.4]) for name in "ab"]
    assert ScoreSources(files).read_dev() is None


def test_dev_scores_of_some_members_only_are_refused(runs: list[Path], tmp_path: Path) -> None:
    plain = score_file(tmp_path / "c.csv", [0.3, 0.4])
    with pytest.raises(DataError, match="a come with dev scores and c without: give --dev"):
        ScoreSources([runs[0], plain]).read_dev()
    with pytest.raises(FasError, match="--dev: 1 files for 2 members"):
        ScoreSources(runs, dev=[plain]).read_dev()
