"""The state of an optimizer of any class: its own is loaded, and only what the next update can use."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fas_core.training.optimizer_state import describe_state, load_optimizer_state

CLASSES = {
    "SGD": {"momentum": 0.9},
    "AdamW": {},
    "Adam": {"amsgrad": True},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "NAdam": {},
    "Adafactor": {},
    "ASGD": {},
}
OTHERS = [None, True, 1.5, "x", [], {}, torch.zeros(3, 3, 3), torch.zeros(0), torch.zeros(2, 2)]


class Keeping(torch.optim.SGD):
    """It keeps a list of tensors, a number and a text, as optimizers of other packages do."""

    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                state.setdefault("sides", [parameter.detach().clone(), torch.zeros(())])
                state["count"] = state.get("count", 0) + 1
                state["kind"] = "matrix"
                parameter.data -= group["lr"] * (state["sides"][0] + state["sides"][1]) * state["count"]


def build(kind: Any, groups: list[dict[str, Any]], options: dict[str, Any]) -> torch.optim.Optimizer:
    optimizer: torch.optim.Optimizer = kind(groups, lr=0.1, **options)
    return optimizer


def make(kind: Any, options: dict[str, Any]) -> torch.optim.Optimizer:
    """Of a matrix and a vector, with gradients."""
    layer = nn.Linear(2, 3)
    layer(torch.ones(1, 2)).sum().backward()
    return build(kind, [{"params": list(layer.parameters())}], options)


def load(optimizer: torch.optim.Optimizer, state: Any, options: dict[str, Any]) -> None:
    expected = describe_state(lambda groups: build(type(optimizer), groups, options), optimizer.param_groups)
    load_optimizer_state(optimizer, state, expected)


@pytest.mark.parametrize("name", [*CLASSES, "Keeping"])
def test_an_optimizer_takes_only_a_state_that_it_can_use(name: str) -> None:
    kind, options = getattr(torch.optim, name, Keeping), CLASSES.get(name, {})
    trained = make(kind, options)
    load(make(kind, options), trained.state_dict(), options)
    trained.step()
    trained.step()
    state = trained.state_dict()
    load(make(kind, options), state, options)
    older = {**state, "param_groups": [dict(group) for group in state["param_groups"]]}
    del older["param_groups"][0]["foreach"]
    load(make(kind, options), older, options)
    refused = 0
    for value in OTHERS:
        for key in state["state"][0]:
            changed = {0: {**state["state"][0], key: value}, 1: state["state"][1]}
            refused += refuses(make(kind, options), {**state, "state": changed}, options)
        for key in state["param_groups"][0]:
            groups = [{**state["param_groups"][0], key: value}]
            refused += refuses(make(kind, options), {**state, "param_groups": groups}, options)
    assert refused > 50


def refuses(optimizer: torch.optim.Optimizer, state: Any, options: dict[str, Any]) -> bool:
    """Whether the state is refused; one that is loaded must not fail at the next update."""
    try:
        load(optimizer, state, options)
    except (TypeError, ValueError, LookupError, AttributeError, RuntimeError):
        return True
    optimizer.step()
    return False


@pytest.mark.parametrize(
    ("own", "other"), [("SGD", "AdamW"), ("AdamW", "SGD"), ("AdamW", "RMSprop"), ("Adafactor", "Adam")]
)
def test_the_state_of_another_optimizer_is_refused(own: str, other: str) -> None:
    trained = make(getattr(torch.optim, other), CLASSES[other])
    trained.step()
    with pytest.raises(ValueError, match="the optimizer has"):
        load(make(getattr(torch.optim, own), CLASSES[own]), trained.state_dict(), CLASSES[own])


def test_the_state_of_other_parameters_is_refused() -> None:
    optimizer = make(torch.optim.SGD, {})
    state = optimizer.state_dict()
    for wrong in ([1, 0], [0, 7], [0]):
        changed = {**state, "param_groups": [{**state["param_groups"][0], "params": wrong}]}
        with pytest.raises(ValueError, match="the optimizer"):
            load(make(torch.optim.SGD, {}), changed, {})


def test_an_absent_momentum_of_an_older_torch_is_none() -> None:
    state = make(torch.optim.SGD, {}).state_dict()
    load(make(torch.optim.SGD, {}), {**state, "state": {0: {"momentum_buffer": None}}}, {})


def test_describing_a_state_changes_neither_weights_nor_the_optimizer() -> None:
    optimizer = make(torch.optim.AdamW, {})
    weights: list[Tensor] = [item.detach().clone() for item in optimizer.param_groups[0]["params"]]
    expected = describe_state(lambda groups: build(torch.optim.AdamW, groups, {}), optimizer.param_groups)
    assert set(expected["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}
    assert expected["state"][1]["exp_avg"].shape == (3,)
    assert not optimizer.state
    assert all(map(torch.equal, weights, optimizer.param_groups[0]["params"]))
