"""The optimiser of a published checkpoint, mapped to the model's parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from attrs import evolve

from fas_core.errors import ModelError
from fas_core.models.build import build_model
from fas_core.models.matching import EntryMatch
from fas_core.models.model import Model
from fas_core.models.published import PublishedCheckpoint
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_plugins.commands.importing.entries import published_names
from fas_plugins.commands.importing.recipe import build_recipe
from fas_plugins.commands.importing.resume_state import build_resume_state

GROUP = {"momentum": 0.8, "weight_decay": 3e-4, "nesterov": True}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    recipe = build_recipe("feathernet-b-32", registry(), ["feathernet_a"], {}, {"model.input_size": 64})
    return Run(tmp_path / "run", recipe, registry())


@pytest.fixture
def model(run: Run) -> Model:
    return build_model(run.recipe, registry())


@pytest.fixture
def matched(model: Model) -> EntryMatch:
    return EntryMatch(tuple(published_names(model).items()))


@pytest.fixture
def published(model: Model) -> PublishedCheckpoint:
    """A checkpoint with entries, and so SGD's parameters, in reverse order; two have a momentum."""
    names = published_names(model)
    weights = {names[name]: value for name, value in reversed(model.state_dict().items())}
    parameters = list(reversed(list(model.parameters())))
    momenta = {key: {"momentum_buffer": torch.full_like(parameters[key], key + 1.0)} for key in (0, 5)}
    optimizer = {"state": momenta, "param_groups": [{**GROUP, "params": list(range(len(parameters)))}]}
    return PublishedCheckpoint(Path("a.pth"), weights, epoch=7, optimizer=optimizer)


def test_momenta_follow_the_models_order(
    run: Run, model: Model, published: PublishedCheckpoint, matched: EntryMatch
) -> None:
    resumed, state = build_resume_state(run, model, published, matched)
    last = len(list(model.parameters())) - 1
    momenta = state["optimizer"]["state"]
    assert list(momenta) == [last - 5, last]
    assert {float(momenta[index]["momentum_buffer"].unique()) for index in momenta} == {1.0, 6.0}
    assert (momenta[last - 5]["momentum_buffer"] == 6).all()
    assert state["position"]["epoch"] == 7
    assert state["optimizer"]["param_groups"][0]["nesterov"] is True
    train = resumed.recipe.train
    assert (train.optimizer.name, train.optimizer.options.nesterov) == ("sgd", True)
    assert (train.momentum, train.weight_decay) == (0.8, 3e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": None}, "no epoch and optimizer"),
        ({"optimizer": None}, "no epoch and optimizer"),
        ({"optimizer": {"state": {}, "param_groups": []}}, "more groups of parameters than one, or none"),
        ({"optimizer": {"state": {}, "param_groups": [{"params": [0], "lr": 1}]}}, "not SGD with momentum"),
        ({"optimizer": {"state": {}, "param_groups": [{**GROUP, "params": [0]}]}}, "of 1 parameters, and"),
    ],
)
def test_an_optimizer_that_does_not_fit_is_refused(
    run: Run,
    model: Model,
    published: PublishedCheckpoint,
    matched: EntryMatch,
    changes: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(ModelError, match=message):
        build_resume_state(run, model, evolve(published, **changes), matched)


def test_a_momentum_of_another_shape_is_refused(
    run: Run, model: Model, published: PublishedCheckpoint, matched: EntryMatch
) -> None:
    assert published.optimizer is not None
    published.optimizer["state"][0]["momentum_buffer"] = torch.zeros(3, 3)
    with pytest.raises(ModelError, match=r"momentum of .* is \(3, 3\)"):
        build_resume_state(run, model, published, matched)
