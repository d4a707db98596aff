"""Groups of runs below one folder, and which folder or file opens as what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.strangers import Here, hooks

from fas_core import Loss, PluginError
from fas_core.config.components import HeldOut
from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError, DataError, FasError, ModelError
from fas_core.registry import registry
from fas_core.runs.environment import read_required
from fas_core.runs.groups import (
    FoldRuns,
    is_main_process,
    naming,
    open_path,
    open_runs,
)
from fas_core.runs.results import write_results
from fas_core.runs.run import Run
from fas_core.runtime.model_file import ModelFile

MakeRecipe = Callable[..., Recipe]


@pytest.fixture
def fold_runs(tmp_path: Path, make_recipe: MakeRecipe) -> FoldRuns:
    """Two folds and a final run, seed 3; nothing is written yet."""
    recipe = make_recipe(tmp_path, {"folds": "subject:2"}, seed=3)
    return FoldRuns(tmp_path / "folds", recipe, registry(), True, "0123456789abcdef")


def finish(run: Run) -> None:
    """Write what a run of two epochs leaves, but for weights and scores."""
    run.create()
    run.append_metrics({"epoch": 2})
    write_results(run.path, {"train_hours": 1.0})


def test_folds_are_read_back(fold_runs: FoldRuns) -> None:
    fold_runs.write()
    assert FoldRuns.open(fold_runs.path, registry()) == fold_runs
    assert open_runs(fold_runs.path, registry()) == fold_runs


def test_each_fold_is_held_out_of_one_run(fold_runs: FoldRuns) -> None:
    runs = fold_runs.fold_runs()
    assert list(runs) == ["fold-1", "fold-2"]
    for number, (name, run) in enumerate(runs.items(), 1):
        assert run.path == fold_runs.path / name
        assert run.recipe.folds is None
        assert run.recipe.data.held_out == HeldOut("subject", 2, number, seed=3)
    final = fold_runs.final_run()
    assert (final.recipe, final.path) == (fold_runs.recipe, fold_runs.path / "final")


def test_the_final_run_opens_when_it_is_finished(fold_runs: FoldRuns) -> None:
    with pytest.raises(FasError, match=f"final not trained to the end.*--resume {fold_runs.path}"):
        fold_runs.open_final()
    finish(fold_runs.final_run())
    assert fold_runs.open_final() == fold_runs.final_run()


def test_folds_without_a_final_run_say_how_to_train_it(tmp_path: Path, fold_runs: FoldRuns) -> None:
    without = FoldRuns(tmp_path, fold_runs.recipe, registry(), False, fold_runs.digest)
    with pytest.raises(FasError, match=r"folds without a final model: train it by .* --final"):
        without.open_final()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("digest:", "other:", "must have final, digest and recipe"),
        ("final: true", "final: 1", "must have final, digest and recipe"),
        ("folds: subject:2", "folds: null", "its recipe has no folds"),
        ("folds: subject:2", "folds: session", "its recipe has no number of folds"),
    ],
)
def test_a_changed_folds_file_is_refused(fold_runs: FoldRuns, old: str, new: str, message: str) -> None:
    fold_runs.write()
    file = fold_runs.path / "folds.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=message):
        FoldRuns.open(fold_runs.path, registry())


def test_a_path_opens_as_run_or_model_file(trained: Path, mean_model: Callable[..., Path]) -> None:
    run = open_path(trained, registry())
    assert isinstance(run, Run)
    assert run.path == trained
    model = open_path(mean_model(), registry())
    assert isinstance(model, ModelFile)
    assert model.card.modalities == ("rgb",)


def test_other_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such run folder or model"):
        open_path(tmp_path / "missing", registry())
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ModelError, match="neither a run folder nor a model file"):
        open_path(tmp_path / "notes.txt", registry())
    with pytest.raises(FasError, match="not a run folder"):
        open_path(tmp_path, registry())


def test_an_error_names_the_run_and_keeps_its_type() -> None:
    with pytest.raises(DataError) as caught, naming("fold-2"):
        raise DataError("no images", ["a.png", "b.png"])
    assert caught.value.message == "fold-2: no images"
    assert caught.value.problems == ("a.png", "b.png")
    with pytest.raises(KeyError, match=r"^'bug'$"), naming("fold-2"):
        raise KeyError("bug")


def test_the_first_process_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert is_main_process()
    monkeypatch.setenv("RANK", "0")
    assert is_main_process()
    monkeypatch.setenv("RANK", "1")
    assert not is_main_process()


def test_a_group_whose_plugins_are_gone_opens_and_names_them(here: Here, make_recipe: MakeRecipe) -> None:
    """What its runs need is in the environment of the first run."""
    loss = "Loss(name='hinge', summary='', target='acme_fas:Hinge')"
    here.install("acme-fas", hooks(losses=loss))
    path = here.site.path / "runs"
    recipe = make_recipe(path, {"loss": "hinge", "folds": "subject:2"})
    FoldRuns(path, recipe, registry(), True, "digest").write()
    for run in FoldRuns.open(path, registry()).fold_runs().values():
        run.create()
    here.uninstall("acme-fas")
    opened = FoldRuns.open(path, registry())
    with pytest.raises(PluginError, match=r"^loss 'hinge': needs acme-fas 1.5: pip install acme-fas$"):
        opened.registry.find(Loss, "hinge")
    assert opened.recipe.loss.absence.endswith("needs acme-fas 1.5: pip install acme-fas")
    assert [run.recipe.loss.name for run in opened.fold_runs().values()] == ["hinge", "hinge"]


@pytest.mark.parametrize("text", ["", "[]", '{"plugins": 3}', '{"plugins": {"acme-fas": 3}}', "{}"])
def test_an_environment_that_says_nothing_of_plugins_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "environment.json").write_text(text)
    assert registry().requiring(read_required(tmp_path)).required == {}
