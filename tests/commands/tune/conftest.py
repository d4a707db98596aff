"""Trials whose training is replaced by known figures of dev."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from fas_core.config.recipe import Recipe
from fas_core.errors import FasError
from fas_core.registry import registry
from fas_core.runs.results import write_results
from fas_core.runs.run import Run
from fas_core.training import job
from fas_plugins.commands.tune.search import Search
from fas_plugins.commands.tune.space import read_space


@define
class Trainings:
    """What stands for training: EERs by epoch, computed from the recipe.

    Args:
        eers: of a recipe; by default the learning rate in each epoch.
        stop: raised after the first epoch of a run with this name.
        started: names of the runs that were trained, in order.
        anyway: whether each was to go on with other data or versions.
    """

    eers: Callable[[Recipe], list[float]] = field(
        default=lambda recipe: [recipe.train.lr] * recipe.train.epochs
    )
    stop: dict[str, BaseException] = field(factory=dict)
    started: list[str] = field(factory=list)
    anyway: list[bool] = field(factory=list)

    def train(self, run: Run, changes: object, *, anyway: bool, after_epoch: Callable[[], None]) -> None:
        self.started.append(run.path.name)
        self.anyway.append(anyway)
        if not (run.path / "recipe.yaml").exists():
            run.create()
        for epoch, eer in enumerate(self.eers(run.recipe), 1):
            if epoch <= len(run.metrics()):
                continue
            run.append_metrics({"epoch": epoch, "dev": {"eer": eer, "acer": eer}, "best": True})
            after_epoch()
            if run.path.name in self.stop:
                raise self.stop.pop(run.path.name)
        write_results(run.path, {"train_hours": 0.1})


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    trainings = Trainings()
    monkeypatch.setattr(job, "start_or_resume", trainings.train)
    return trainings


@pytest.fixture
def make_search(
    training_faces: Path, make_recipe: Callable[..., Recipe], tmp_path: Path
) -> Callable[..., Search]:
    """`make_search("train.lr=log:1e-4:0.1", epochs=2, prune=True)`: in the folder `study`."""

    def make(*texts: str, prune: bool = True, **train: Any) -> Search:
        space = read_space(texts or ("train.lr=log:1e-4:0.1",))
        return Search(tmp_path / "study", make_recipe(training_faces, **train), space, registry(), prune)

    return make


def diverge() -> FasError:
    return FasError("the loss is nan at epoch 1, batch 2: lower train.lr")
