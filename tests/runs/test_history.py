"""The history of a run: what it holds, and when a change is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.two_splits import TwoSplits

from fas_core.config.recipe import Recipe
from fas_core.errors import DataError, FasError
from fas_core.registry import registry
from fas_core.runs.history import UNKNOWN, add_entry, find_changes, read_history, start_history
from fas_core.runs.run import Run


@pytest.fixture
def run(make_recipe: Callable[..., Recipe], tmp_path: Path) -> Run:
    """A run that was started."""
    run = Run(tmp_path / "run", make_recipe(tmp_path), registry())
    run.create()
    start_history(run, TwoSplits(), "epoch 1")
    return run


def test_an_unchanged_run_has_no_changes(run: Run) -> None:
    (entry,) = read_history(run)
    assert (entry.position, entry.changes) == ("epoch 1", ())
    assert find_changes(run, TwoSplits(), anyway=False) is None


def test_a_change_is_refused_with_a_line_each_and_kept_anyway(run: Run) -> None:
    changed = run.changed({"train.lr": 0.5, "train.seed": 3})
    with pytest.raises(FasError, match=r"run: data, recipe or versions are not .* add --anyway") as caught:
        find_changes(changed, TwoSplits(), anyway=False)
    lines = ("recipe: train.lr: 0.5, was 0.02", "recipe: train.seed: 3, was 14")
    assert caught.value.problems == lines
    assert len(read_history(run)) == 1
    entry = find_changes(changed, TwoSplits(), anyway=True)
    assert entry is not None
    add_entry(changed, entry, "epoch 4")
    assert [(item.position, item.changes) for item in read_history(run)] == [
        ("epoch 1", ()),
        ("epoch 4", lines),
    ]
    assert find_changes(changed, TwoSplits(), anyway=False) is None  # the last entry counts
    with pytest.raises(FasError, match="add --anyway"):
        find_changes(run, TwoSplits(), anyway=False)


def test_a_harmless_change_is_found_and_not_refused(run: Run) -> None:
    file = run.path / "history.json"
    entries = json.loads(file.read_text())
    entries[0]["conditions"]["versions"]["python"] = "3.1"
    file.write_text(json.dumps(entries))
    entry = find_changes(run, TwoSplits(), anyway=False)
    assert entry is not None
    assert [line.partition(":")[0] for line in entry.changes] == ["python"]


def test_a_run_of_a_former_version_begins_its_history_when_it_is_resumed(run: Run) -> None:
    (run.path / "history.json").unlink()
    entry = find_changes(run, TwoSplits(), anyway=False)
    assert entry is not None
    assert entry.changes == (UNKNOWN,)
    add_entry(run, entry, "epoch 2")
    assert find_changes(run, TwoSplits(), anyway=False) is None


@pytest.mark.parametrize("text", ["", "[", "{}", "[3]", '[{"time": "now"}]'])
def test_a_damaged_history_is_one_line_that_says_what_to_do(run: Run, text: str) -> None:
    (run.path / "history.json").write_text(text)
    with pytest.raises(DataError, match=r"history.json: damaged: remove it"):
        find_changes(run, TwoSplits(), anyway=True)
