"""A training job around its epochs: the data it refuses, and whether a run is started or continued."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fixtures.memory_dataset import MemoryDataset, dataset_of_labels

from fas_core.config.recipe import Recipe
from fas_core.errors import DataError, FasError
from fas_core.interruption import Interrupted
from fas_core.registry import registry
from fas_core.runs.results import write_results
from fas_core.runs.run import Run
from fas_core.training import job

MakeRecipe = Callable[..., Recipe]


@pytest.fixture
def recipe(make_recipe: MakeRecipe, tmp_path: Path) -> Recipe:
    return make_recipe(tmp_path)


@pytest.mark.parametrize(
    ("reader", "message"),
    [
        (
            dataset_of_labels({"dev": [1, 0], "test": [1, 0]}),
            r"has no train split \(it has dev, test\)",
        ),
        (dataset_of_labels({"train": [1, 1]}), "there are only live samples"),
        (dataset_of_labels({"train": [0, 0]}), "there are only attacks"),
        (dataset_of_labels({"train": [0, 1, None]}), "1 training samples have no label"),
        (dataset_of_labels({"train": [0, 1]}, modality="depth"), "no 'rgb' images"),
    ],
)
def test_unusable_data_is_refused_and_nothing_is_written(
    recipe: Recipe, reader: MemoryDataset, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        job.start(tmp_path / "run", recipe, registry(), reader=reader)
    assert not (tmp_path / "run").exists()


def test_only_a_run_is_resumed(tmp_path: Path) -> None:
    with pytest.raises(FasError, match="not a run folder"):
        job.resume(tmp_path, registry(), {})


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The calls of `start` and `resume`, which do nothing."""
    calls: list[tuple[Any, ...]] = []

    def start(path: Path, *_: object, reader: object = None, after_epoch: object = None) -> None:
        calls.append(("start", path, reader, after_epoch))

    def resume(
        path: Path, _: object, changes: object, reader: object, anyway: bool, after_epoch: object
    ) -> None:
        calls.append(("resume", path, changes, reader, anyway, after_epoch))

    monkeypatch.setattr(job, "start", start)
    monkeypatch.setattr(job, "resume", resume)
    return calls


@pytest.fixture
def run(recipe: Recipe, tmp_path: Path) -> Run:
    """A run of two epochs that was created."""
    run = Run(tmp_path / "run", recipe, registry())
    run.create()
    return run


def test_a_run_without_state_is_started_anew(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[tuple[Any, ...]] = []

    def start(path: Path, recipe: Recipe, _: object, reader: object, after_epoch: object) -> None:
        starts.append((path, recipe, reader, after_epoch))

    monkeypatch.setattr(job, "start", start)
    reader = dataset_of_labels({})
    job.resume(run.path, run.registry, {}, reader=reader, after_epoch=print)
    assert starts == [(run.path, run.recipe, reader, print)]
    assert not (run.path / "recipe.yaml").exists()  # `start` refuses a folder that has one


def test_a_run_that_was_created_is_resumed(run: Run, calls: list[tuple[Any, ...]]) -> None:
    reader = dataset_of_labels({})
    job.start_or_resume(run, {"train.epochs": 2}, reader=reader, anyway=True, after_epoch=print)
    assert calls == [("resume", run.path, {"train.epochs": 2}, reader, True, print)]


def test_a_new_run_is_started(recipe: Recipe, tmp_path: Path, calls: list[tuple[Any, ...]]) -> None:
    job.start_or_resume(Run(tmp_path / "new", recipe, registry()), {}, after_epoch=print)
    assert calls == [("start", tmp_path / "new", None, print)]


def test_a_finished_run_stays_as_it_is(run: Run, calls: list[tuple[Any, ...]]) -> None:
    (run.path / "state.pt").touch()
    run.append_metrics({"epoch": 2})
    write_results(run.path, {"train_hours": 1.0})
    job.start_or_resume(run, {})
    assert calls == []
    assert run.results() == {"train_hours": 1.0}


def test_an_evaluation_that_is_interrupted_is_finished_by_resuming(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last epoch."""

    def interrupt(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        threading.Event().wait(30)
        pytest.fail("nothing has interrupted the evaluation")

    with monkeypatch.context() as patch:
        patch.setattr(job, "score_run", interrupt)
        with pytest.raises(Interrupted, match="SIGTERM"):
            job.start(tmp_path / "run", make_recipe(training_faces, epochs=1), registry())
    assert not (tmp_path / "run" / "results.json").exists()
    outcome = job.resume(tmp_path / "run", registry(), {})
    assert outcome.run.is_finished()
    assert set(outcome.results) == {"dev", "test"}
