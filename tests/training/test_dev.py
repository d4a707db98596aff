"""Dev after the epochs: which weights are the best, how often it is evaluated, when patience ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError
from fas_core.records.samples import SampleTable
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.training import job

MakeRecipe = Callable[..., Recipe]
WriteFaces = Callable[[Path, str, str, int, int], None]


def test_without_dev_the_last_weights_are_the_best(
    tmp_path: Path, make_recipe: MakeRecipe, write_faces: WriteFaces
) -> None:
    root = tmp_path / "faces"
    for split in ("train", "test"):
        write_faces(root, split, "live", 8, 170)
        write_faces(root, split, "attack/print", 8, 70)
    outcome = job.start(tmp_path / "run", make_recipe(root, epochs=1), registry())
    best, last = (load_file(outcome.run.weights(which)) for which in ("best", "last"))
    assert all(torch.equal(best[key], last[key]) for key in best)
    result = outcome.results["test"]
    assert result.threshold is None
    assert result.to_json()["metrics"]["acer"] is None
    assert result.to_json()["metrics"]["auc"] is not None


@pytest.mark.parametrize(("select", "best_epoch"), [("best", 2), ("last", 3)])
def test_the_best_weights_are_those_of_the_selected_epoch(
    training_faces: Path,
    tmp_path: Path,
    make_recipe: MakeRecipe,
    monkeypatch: pytest.MonkeyPatch,
    select: str,
    best_epoch: int,
) -> None:
    """Dev scores are replaced: no errors after the second of three epochs, only errors after the others."""
    epochs: list[dict[str, torch.Tensor]] = []

    def score(_: object, samples: SampleTable, **__: object) -> ScoreTable:
        epochs.append(load_file(tmp_path / "run" / "last.safetensors"))
        return ScoreTable.from_samples(samples, samples.labels * (1.0 if len(epochs) == 2 else -1.0))

    monkeypatch.setattr("fas_core.training.dev.score_samples", score)
    run = job.start(tmp_path / "run", make_recipe(training_faces, epochs=3, select=select), registry()).run
    assert [line["dev"]["eer"] for line in run.metrics()] == [1, 0, 1]
    best = load_file(run.weights("best"))
    same = [all(torch.equal(best[key], weights[key]) for key in best) for weights in epochs]
    assert same == [number == best_epoch for number in (1, 2, 3)]
    assert [line["epoch"] for line in run.metrics() if line["best"]][-1] == best_epoch


@pytest.mark.parametrize(("every", "evaluated"), [(1, [1, 2, 3, 4, 5]), (2, [2, 4, 5]), (9, [5])])
def test_dev_is_evaluated_at_an_interval_and_after_the_last_epoch(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe, every: int, evaluated: list[int]
) -> None:
    run = job.start(
        tmp_path / "run", make_recipe(training_faces, epochs=5, judge_every=every), registry()
    ).run
    assert [line["epoch"] for line in run.metrics() if "dev" in line] == evaluated
    assert len(run.metrics()) == 5
    assert run.weights("best").is_file()


def replace_dev_scores(monkeypatch: pytest.MonkeyPatch, errors: list[bool]) -> None:
    """Make each evaluation on dev give only errors, or none."""
    remaining = iter(errors)

    def score(_: object, samples: SampleTable, **__: object) -> ScoreTable:
        return ScoreTable.from_samples(samples, samples.labels * (-1.0 if next(remaining) else 1.0))

    monkeypatch.setattr("fas_core.training.dev.score_samples", score)


def test_training_ends_when_patience_does(
    training_faces: Path,
    tmp_path: Path,
    make_recipe: MakeRecipe,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    replace_dev_scores(monkeypatch, [True, False, False, True])
    recipe = make_recipe(training_faces, epochs=9, patience=2, batch_size=32)
    run = job.start(tmp_path / "run", recipe, registry()).run
    assert [line["dev"]["eer"] for line in run.metrics()] == [1, 0, 0, 1]
    assert [line.get("stopped_early") for line in run.metrics()] == [None, None, None, True]
    assert run.is_finished()
    assert "stopped: no lower dev EER 2 times in a row" in capsys.readouterr().out
    resumed = job.resume(tmp_path / "run", registry(), {"train.epochs": 12})
    assert len(resumed.run.metrics()) == 4
    assert resumed.run.is_finished()


def test_patience_counts_over_an_interruption(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_dev_scores(monkeypatch, [False, False])
    recipe = make_recipe(training_faces, epochs=2, patience=2, batch_size=32)
    job.start(tmp_path / "run", recipe, registry())
    replace_dev_scores(monkeypatch, [False])
    run = job.resume(tmp_path / "run", registry(), {"train.epochs": 9}).run
    assert [line.get("stopped_early") for line in run.metrics()] == [None, None, True]


def test_patience_without_a_dev_split_is_refused(
    tmp_path: Path, make_recipe: MakeRecipe, write_faces: WriteFaces
) -> None:
    write_faces(tmp_path / "faces", "train", "live", 4, 170)
    write_faces(tmp_path / "faces", "train", "attack/print", 4, 70)
    with pytest.raises(ConfigError, match=r"train\.patience: there is no dev split"):
        job.start(tmp_path / "run", make_recipe(tmp_path / "faces", patience=1), registry())
    assert not (tmp_path / "run").exists()
