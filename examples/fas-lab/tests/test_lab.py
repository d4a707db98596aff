"""The contract checks, and what the command, the tracker and the hook write."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from fas_core import NoOptions
from fas_core.contracts import RunFailed, RunFinished
from fas_core.registry import Registry
from fas_core.testing import check_component, check_detector, check_recipe, check_tracker
from fas_lab import fas_public_models, fas_run_failed
from fas_lab.booth import open_booth
from fas_lab.leaderboard import Leaderboard
from fas_lab.options import LeaderboardOptions


def run_fas(*arguments: object) -> Result:
    from fas_core.cli import main

    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_contracts(tmp_path: Path) -> None:
    check_tracker("leaderboard", tmp_path)
    check_detector("booth")
    check_recipe("lab-door")
    (catalogue,) = fas_public_models()
    assert check_component(catalogue).status == "passed"


def test_the_catalogue_is_listed(fas_registry: Registry) -> None:
    done = run_fas("models", "list", "--public", "--json")
    assert done.exit_code == 0, done.stderr
    assert "lab-door" in done.stdout


def test_the_leaderboard_has_a_line_for_each_split_of_each_run(tmp_path: Path) -> None:
    tracker = Leaderboard(LeaderboardOptions(figures=("acer", "auc")))
    for name, acer in (("a", 0.25), ("b", None)):
        results = {"test": {"metrics": {"acer": acer, "auc": 0.5, "eer": 0.1}}}
        tracker.fas_run_finished(RunFinished(tmp_path / name, results, train_hours=0.1))
    with (tmp_path / "leaderboard.csv").open(encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows == [["run", "split", "acer", "auc"], ["a", "test", "0.25", "0.5"], ["b", "test", "", "0.5"]]


@pytest.mark.parametrize("option", [{"file": "../x.csv"}, {"file": "x.txt"}, {"figures": ()}])
def test_options_that_are_not_valid_are_refused(option: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(option))):
        LeaderboardOptions(**option)  # type: ignore[arg-type]


def test_the_booth_s_face_is_in_the_middle() -> None:
    (face,) = open_booth(NoOptions(), None)(np.zeros((40, 60, 3), np.uint8))
    assert face.box == (20, 10, 20, 20)


def test_why_a_run_failed_is_in_its_folder(tmp_path: Path) -> None:
    fas_run_failed(RunFailed(tmp_path, "KeyboardInterrupt", interrupted=True))
    assert list(tmp_path.iterdir()) == []
    fas_run_failed(RunFailed(tmp_path, "the loss is nan", interrupted=False))
    assert (tmp_path / "failed.txt").read_text() == "the loss is nan\n"


def test_notes_are_added_to_a_run(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").touch()
    assert run_fas("runs", "note", tmp_path, "a lamp was on").exit_code == 0
    done = run_fas("runs", "note", tmp_path, "and off again", "--json")
    assert json.loads(done.stdout)["notes"] == ["a lamp was on", "and off again"]


def test_a_folder_that_is_no_run_gets_no_note(tmp_path: Path) -> None:
    done = run_fas("runs", "note", tmp_path, "a lamp was on")
    assert done.exit_code == 2
    assert "no run" in done.stderr
    assert list(tmp_path.iterdir()) == []
