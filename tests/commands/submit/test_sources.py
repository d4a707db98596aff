"""The challenge, its lists and the systems' scores that a submission is made of."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fas_core import DataError, FasError
from fas_core.contracts import Submission, SubmissionPart
from fas_core.registry import registry
from fas_plugins.commands.submit.sources import choose_lists, find_challenge, read_systems

TWO = Submission(
    (SubmissionPart("1.txt", ("a",), ("a",), "4@1"), SubmissionPart("2.txt", ("b",), ("b",), "4@2")),
    ("dev", "test"),
)
ONE = Submission((SubmissionPart("list.txt", ("a", "b"), ("a", "b")),), ("dev", "test"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """As much of a run of CASIA-SURF as is read."""
    (tmp_path / "run/scores").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    data = {"name": "casia_surf", "root": str(tmp_path / "data")}
    (tmp_path / "run/recipe.yaml").write_text(yaml.safe_dump({"data": data}))
    for split, name in (("dev", "a"), ("test", "b")):
        (tmp_path / f"run/scores/{split}.csv").write_text(f"id,score\n{name},0.5\n")
    return tmp_path / "run"


def test_a_challenge_is_found_with_either_dash() -> None:
    assert find_challenge("casia-surf", registry()) is find_challenge("casia_surf", registry())
    with pytest.raises(FasError, match=r"--format casia_surv: there is no such format .did you mean"):
        find_challenge("casia_surv", registry())
    with pytest.raises(FasError, match="--format folder: there is no such format"):
        find_challenge("folder", registry())


def test_lists_are_those_of_data_or_of_the_run(run: Path, tmp_path: Path) -> None:
    dataset = find_challenge("casia-surf", registry())
    assert choose_lists(dataset, run, None, registry()).root == tmp_path / "data"
    (tmp_path / "other").mkdir()
    for spec in (str(tmp_path / "other"), f"casia_surf:{tmp_path / 'other'}"):
        assert choose_lists(dataset, run, spec, registry()).root == tmp_path / "other"
    file = tmp_path / "scores.csv"
    with pytest.raises(FasError, match=r"scores\.csv: no such run, model or file of scores"):
        choose_lists(dataset, file, None, registry())
    file.touch()
    with pytest.raises(FasError, match="say where the lists of 'casia_surf' are: --data ROOT"):
        choose_lists(dataset, file, None, registry())
    with pytest.raises(DataError, match="none: no such folder"):
        choose_lists(dataset, run, str(tmp_path / "none"), registry())
    cefa = find_challenge("cefa", registry())
    with pytest.raises(FasError, match="say where the lists of 'cefa' are"):
        choose_lists(cefa, run, None, registry())


def test_a_run_gives_the_scores_of_all_splits(run: Path) -> None:
    systems = read_systems([run], ONE, None, 1, registry())
    name, scores = systems[""]
    assert (name, scores.table.column("id").to_pylist()) == (str(run), ["a", "b"])


def test_one_system_scores_all_sub_protocols_or_each_has_its_own(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text("id,score\na,0.1\nb,0.2\n")
    shared = read_systems([file], TWO, None, 1, registry())
    assert shared["4@1"] == shared["4@2"]
    separate = read_systems([file, run], TWO, None, 1, registry())
    assert [separate[name][0] for name in ("4@1", "4@2")] == [str(file), str(run)]
    with pytest.raises(FasError, match="3 systems are given: give one, or one for each of 4@1, 4@2"):
        read_systems([file] * 3, TWO, None, 1, registry())
    with pytest.raises(FasError, match=r"2 systems are given: give one$"):
        read_systems([file] * 2, ONE, None, 1, registry())
