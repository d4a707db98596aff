"""The run folder: what it stores is read back, and a folder that is no run is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError, DataError, FasError, ModelError
from fas_core.models import PRETRAINED
from fas_core.registry import registry
from fas_core.runs.results import write_results
from fas_core.runs.run import Run, claim_folder
from fas_core.scores.table import ScoreTable

MakeRecipe = Callable[..., Recipe]
NewRun = Callable[..., Run]


@pytest.fixture
def new_run(tmp_path: Path, make_recipe: MakeRecipe) -> NewRun:
    """`new_run(changes)`: a run of two epochs in a folder that does not exist yet."""

    def build(changes: dict[str, object] | None = None) -> Run:
        return Run(tmp_path / "run", make_recipe(tmp_path, changes), registry())

    return build


def write_scores(run: Run, split: str, scores: list[float], labels: list[int]) -> None:
    columns = {"id": [str(row) for row in range(len(scores))], "score": scores, "label": labels}
    ScoreTable.of(columns).write(run.scores(split))


def test_a_created_run_opens_with_the_same_recipe(new_run: NewRun) -> None:
    run = new_run()
    run.create()
    assert Run.open(run.path, registry()) == run


@pytest.mark.parametrize("name", ["state.pt", "last.safetensors", "metrics.jsonl", "results.json"])
def test_a_run_is_not_overwritten(new_run: NewRun, name: str) -> None:
    run = new_run()
    run.create()
    (run.path / name).touch()
    with pytest.raises(FasError, match="holds a run: choose another --name, or --resume"):
        run.create()


def test_a_run_without_anything_trained_makes_way(new_run: NewRun) -> None:
    new_run().create()
    run = new_run({"train": {"epochs": 3}})
    run.create()
    assert Run.open(run.path, registry()) == run


def test_a_group_of_runs_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "folds.yaml").touch()
    with pytest.raises(FasError, match="holds runs"):
        claim_folder(tmp_path)


def test_a_folder_without_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FasError, match=r"not a run folder \(no recipe.yaml in it\)"):
        Run.open(tmp_path, registry())


def test_a_folder_of_folds_names_its_final_run(tmp_path: Path) -> None:
    (tmp_path / "folds.yaml").touch()
    with pytest.raises(FasError, match=f"give {tmp_path / 'final'}"):
        Run.open(tmp_path, registry())


def test_changes_concern_the_copy_only(new_run: NewRun) -> None:
    run = new_run()
    changed = run.changed({"train.epochs": 20, "threshold": "fixed:0.25"})
    assert (changed.recipe.train.epochs, changed.recipe.threshold) == (20, "fixed:0.25")
    assert run.recipe.train.epochs == 2
    assert not run.path.exists()
    with pytest.raises(ConfigError):
        run.changed({"train.epochs": 0})


def test_metrics_are_read_back_in_order(new_run: NewRun) -> None:
    run = new_run()
    assert run.metrics() == []
    with pytest.raises(FasError, match="cannot be written: no such folder"):
        run.append_metrics({"epoch": 1})  # there is no folder yet
    run.create()
    for epoch in (1, 2):
        run.append_metrics({"epoch": epoch, "loss": 0.5})
    assert run.metrics() == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.5}]


def test_a_run_is_finished_after_its_last_epoch_and_evaluation(new_run: NewRun) -> None:
    run = new_run()
    run.create()
    run.append_metrics({"epoch": 1})
    write_results(run.path, {"train_hours": 1.0})
    assert not run.is_finished()  # one of two epochs
    run.append_metrics({"epoch": 2})
    assert run.is_finished()
    assert not run.changed({"train.epochs": 3}).is_finished()
    (run.path / "results.json").unlink()
    assert not run.is_finished()


@pytest.mark.parametrize(("text", "message"), [("{", "not JSON"), ("[]", "not what `fas train` writes")])
def test_damaged_results_are_an_error(new_run: NewRun, text: str, message: str) -> None:
    run = new_run()
    assert run.results() == {}
    run.write_text("results.json", text)
    with pytest.raises(FasError, match=message):
        run.results()


def test_the_threshold_is_fitted_on_dev(new_run: NewRun) -> None:
    run = new_run()
    assert run.fitting_scores() is None
    with pytest.raises(DataError, match="there are no dev scores"):
        run.threshold()
    write_scores(run, "dev", [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    threshold = run.threshold()
    assert 0.2 < threshold.value <= 0.8
    assert threshold.source == "dev"


def test_with_folds_the_threshold_is_fitted_on_the_out_of_fold_scores(new_run: NewRun) -> None:
    run = new_run({"folds": "subject:2"})
    write_scores(run, "dev", [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    write_scores(run, "out_of_fold", [0.01, 0.02, 0.03, 0.04], [0, 0, 1, 1])
    threshold = run.threshold()
    assert 0.02 < threshold.value <= 0.03
    assert threshold.source == "out-of-fold subject:2"


def test_pretrained_weights_alone_are_no_model(new_run: NewRun) -> None:
    run = new_run()
    run.create()
    with pytest.raises(ModelError, match=r"best.safetensors"):
        run.model()
    (run.path / PRETRAINED).touch()
    with pytest.raises(ModelError, match="holds pretrained weights only"):
        run.model()


def test_a_trained_run_opens_ready_to_evaluate(trained: Path) -> None:
    run = Run.open(trained, registry())
    assert run.is_finished()
    assert not run.model().training


@pytest.mark.parametrize(
    "record",
    [
        {"data": None},
        {"data": {"test": 1}},
        {"splits": []},
        {"splits": {"test": None}},
        {"splits": {"test": {"notes": "x"}}},
        {"splits": {"test": {"notes": [1]}}},
        {"train_hours": "1"},
    ],
)
def test_results_of_other_types_are_an_error(new_run: NewRun, record: dict[str, object]) -> None:
    run = new_run()
    run.create()
    write_results(run.path, record)
    with pytest.raises(DataError, match=r"results\.json: not what `fas train` writes$"):
        run.results()


def test_the_hours_of_training_are_read_from_the_results(new_run: NewRun) -> None:
    run = new_run()
    run.create()
    write_results(run.path, {"train_hours": 2})
    assert run.train_hours() == 2.0
    write_results(run.path, {})
    with pytest.raises(DataError, match="no train_hours"):
        run.train_hours()


@pytest.mark.parametrize(
    "line", ["[]", "{}", '{"epoch": "1"}', '{"epoch": true}', '{"epoch": 1, "dev": [1]}']
)
def test_lines_that_are_no_epochs_are_an_error(new_run: NewRun, line: str) -> None:
    run = new_run()
    run.create()
    run.write_text("metrics.jsonl", f'{{"epoch": 1}}\n{line}\n')
    with pytest.raises(DataError, match=r"metrics\.jsonl:2: no record of an epoch"):
        run.metrics()
