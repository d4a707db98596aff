"""Training of sets of runs, with each run's training replaced by known scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fas_core.config.recipe import Recipe
from fas_core.data.open import open_choice
from fas_core.errors import DataError, FasError
from fas_core.registry import registry
from fas_core.runs.history import start_history
from fas_core.runs.results import write_results
from fas_core.runs.run import Run
from fas_core.runs.run_sets import ProtocolRuns
from fas_core.scores.table import ScoreTable
from fas_core.training import job, run_sets

SCORES = {"4@1": [0.1, 0.2, 0.8, 0.9], "4@2": [0.8, 0.2, 0.1, 0.9]}
"""Of two attacks and two live samples; at threshold 0.5 the ACER is 0 and 0.5."""


def make_set(folder: Path, recipe: Recipe) -> ProtocolRuns:
    return ProtocolRuns(folder / "set", recipe, registry(), "cefa-4", ("4@1", "4@2"))


@pytest.fixture
def recipe(cefa: Path, make_recipe: Callable[..., Recipe]) -> Recipe:
    return make_recipe(cefa, {"data": {"name": "cefa", "root": str(cefa)}, "threshold": "fixed:0.5"})


@pytest.fixture
def trained_members(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sub-protocols whose runs were trained, in order; each takes half an hour."""
    members: list[str] = []

    def score(run: Run, changes: object, *, anyway: bool) -> None:
        members.append(run.path.name)
        if run.is_finished():
            return
        run.create()
        run.append_metrics({"epoch": run.recipe.train.epochs})
        write_results(run.path, {"train_hours": 0.5})
        columns = {"id": list("abcd"), "score": SCORES[run.path.name], "label": [0, 0, 1, 1]}
        ScoreTable.of(columns).write(run.scores("test"))

    monkeypatch.setattr(job, "start_or_resume", score)
    return members


def test_figures_are_the_mean_over_the_runs(
    recipe: Recipe, trained_members: list[str], tmp_path: Path
) -> None:
    outcome = run_sets.start(make_set(tmp_path, recipe))
    assert trained_members == ["4@1", "4@2"]
    assert set(outcome.results) == {"test"}  # no run has scores of dev
    assert outcome.results["test"].mean["acer"] == pytest.approx(0.25)
    assert outcome.results["test"].sd["acer"] == pytest.approx(0.5 / 2**0.5)
    assert outcome.train_hours == 1.0
    assert outcome.tables()
    record = json.loads((tmp_path / "set" / "results.json").read_text())
    assert record["protocol"] == "cefa-4"
    assert record["train_hours"] == 1.0


def test_resuming_stores_the_changes(recipe: Recipe, trained_members: list[str], tmp_path: Path) -> None:
    run_sets.start(make_set(tmp_path, recipe))
    runs = ProtocolRuns.open(tmp_path / "set", registry())
    outcome = run_sets.resume(runs, {"train.epochs": 1})
    assert ProtocolRuns.open(tmp_path / "set", registry()).recipe.train.epochs == 1
    assert trained_members == ["4@1", "4@2"] * 2
    assert outcome.results["test"].mean["acer"] == pytest.approx(0.25)


def test_a_folder_with_runs_is_refused(recipe: Recipe, trained_members: list[str], tmp_path: Path) -> None:
    run_sets.start(make_set(tmp_path, recipe))
    with pytest.raises(FasError, match="holds runs"):
        run_sets.start(make_set(tmp_path, recipe))


def test_data_of_every_sub_protocol_is_checked_before_anything_is_written(
    recipe: Recipe, trained_members: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = run_sets.training_splits

    def refuse_second(reader: object, recipe: Recipe) -> object:
        if recipe.data.options.protocol == "4@2":  # type: ignore[attr-defined]
            raise DataError("no train split")
        return check(reader, recipe)  # type: ignore[arg-type]

    monkeypatch.setattr(run_sets, "training_splits", refuse_second)
    with pytest.raises(DataError, match=r"^4@2: no train split"):
        run_sets.start(make_set(tmp_path, recipe))
    assert trained_members == []
    assert not (tmp_path / "set").exists()


def test_a_finished_run_of_other_data_is_refused_unless_anyway(
    recipe: Recipe, trained_members: list[str], tmp_path: Path
) -> None:
    run_sets.start(make_set(tmp_path, recipe))
    opened = ProtocolRuns.open(tmp_path / "set", registry())
    finished = opened.run("4@1")
    start_history(finished, open_choice(opened.run("4@2").recipe.data, registry()), "epoch 1")
    del trained_members[:]
    with pytest.raises(FasError, match=r"^4@1: .*data, recipe or versions are not those") as caught:
        run_sets.resume(opened, {})
    where = {line.partition(":")[0] for line in caught.value.problems}
    assert where == {"data, train", "data, dev", "data, test"}
    assert trained_members == []
    run_sets.resume(opened, {}, anyway=True)
    assert trained_members == ["4@1", "4@2"]


def test_only_the_first_process_writes(
    recipe: Recipe, trained_members: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    outcome = run_sets.start(make_set(tmp_path, recipe))
    assert trained_members == ["4@1", "4@2"]
    assert outcome.results == {}
    assert not (tmp_path / "set" / "results.json").exists()
