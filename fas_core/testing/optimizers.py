"""The contract check of optimizers: see `fas_core.testing.checks`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from fas_core.config.train import TrainConfig
from fas_core.descriptors import Optimizer
from fas_core.testing.rules import rule
from fas_core.testing.support import explain, load_component

if TYPE_CHECKING:
    import torch
    from torch import nn

Build = Callable[[list[dict[str, Any]]], "torch.optim.Optimizer"]

SHAPES = ((4, 3, 2, 2), (5, 4), (5,), (3,))
"""Of a convolution, a linear layer and its bias; the last parameter never has a gradient."""

FACTORS = (1.0, 0.5)
"""Factors of the learning rate: of the first two parameters, and of the others."""


@rule("call")
def check_optimizer(component: str | Optimizer, options: Any = None) -> None:
    """Check an optimizer's contract.

    It keeps its parameter groups, lowers a simple loss, follows the learning rate of its groups, leaves alone
    what has no gradient, and goes on bit for bit from what was saved, whenever that was.
    """
    import torch

    from fas_core.training.optim import describe_step_problem

    descriptor, target, options = load_component(Optimizer, component, options)
    name, train = descriptor.name, TrainConfig().hyperparameters

    @rule("call")
    def build(groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        with explain(name, "target(options, parameters=groups, train=train)"):
            optimizer: torch.optim.Optimizer = target(options, parameters=groups, train=train)
        is_one = isinstance(optimizer, torch.optim.Optimizer)
        assert is_one, f"{name}: target gave a {type(optimizer).__name__}, no torch.optim.Optimizer"
        problem = describe_step_problem(optimizer)
        assert not problem, f"{name}: {problem}"
        return optimizer

    _check_groups(name, build)
    _check_updates(name, build)
    _check_learning_rate(name, build)
    for updates in (0, 1, 5):
        _check_goes_on(name, build, updates)


def _make_parameters() -> list[nn.Parameter]:
    """Return parameters without zeros, so that updates by a share of them change all."""
    import torch
    from torch import nn

    sizes = [torch.Size(shape) for shape in SHAPES]
    return [nn.Parameter(torch.linspace(1, 2, size.numel()).reshape(size)) for size in sizes]


def _group(parameters: list[nn.Parameter]) -> list[dict[str, Any]]:
    rate = TrainConfig().lr
    return [
        {"params": members, "lr": rate * factor, "lr_factor": factor}
        for members, factor in zip((parameters[:2], parameters[2:]), FACTORS, strict=True)
    ]


def _update(name: str, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> None:
    """Update by the gradients of the sum of squares, as training does; the last parameter has none."""
    for parameter in parameters[:-1]:
        parameter.grad = 2 * parameter.detach()
    with explain(name, "step()"):
        optimizer.step()
        optimizer.zero_grad()


@rule("parameter groups")
def _check_groups(name: str, build: Build) -> None:
    groups = _group(_make_parameters())
    expected = [{**group, "params": list(group["params"])} for group in groups]
    own_groups = build(groups).param_groups
    assert len(own_groups) == len(expected), (
        f"{name}: has {len(own_groups)} parameter groups of {len(expected)}"
    )
    for group, own in zip(expected, own_groups, strict=True):
        same = list(map(id, own["params"])) == list(map(id, group["params"]))
        assert same, f"{name}: a parameter group has other parameters than it was given"
        for key in ("lr", "lr_factor"):
            value = own.get(key)
            assert value == group[key], f"{name}: {key} of a group is {value}, and was given as {group[key]}"


def _check_updates(name: str, build: Build) -> None:
    """Check that ten updates lower the loss, and leave alone what has no gradient."""
    parameters = _make_parameters()
    optimizer, before = build(_group(parameters)), [parameter.detach().clone() for parameter in parameters]
    for _ in range(10):
        _update(name, optimizer, parameters)
    with rule("descends"):
        finite = all(parameter.isfinite().all() for parameter in parameters)
        assert finite, f"{name}: weights that are not finite after ten updates"
        was, now = (
            sum(float(item.detach().square().sum()) for item in items[:-1]) for items in (before, parameters)
        )
        assert now < was, f"{name}: ten updates take a sum of squares from {was:.4g} to {now:.4g}"
    with rule("without gradients"):
        unchanged = parameters[-1].equal(before[-1])
        assert unchanged, f"{name}: changes a parameter that has no gradient"


@rule("learning rate")
def _check_learning_rate(name: str, build: Build) -> None:
    """Check that the second update differs where the learning rate was lowered before it."""
    results = []
    for factor in (1.0, 0.1):
        parameters = _make_parameters()
        optimizer = build(_group(parameters))
        _update(name, optimizer, parameters)
        for group in optimizer.param_groups:
            group["lr"] *= factor
        _update(name, optimizer, parameters)
        results.append(parameters)
    differ = all(not one.equal(other) for one, other in zip(*(items[:-1] for items in results), strict=True))
    assert differ, f"{name}: a lower `lr` of the parameter groups changes nothing"


@rule("goes on")
def _check_goes_on(name: str, build: Build, updates: int) -> None:
    """Check that what is saved after some updates gives the same weights in an optimizer built anew."""
    from torch import nn

    from fas_core.models.checkpoint import load_state, save_state
    from fas_core.training.optimizer_state import describe_state, load_optimizer_state

    parameters = _make_parameters()
    optimizer = build(_group(parameters))
    for _ in range(updates):
        _update(name, optimizer, parameters)
    copies = [nn.Parameter(parameter.detach().clone()) for parameter in parameters]
    anew = build(_group(copies))
    with TemporaryDirectory() as folder, explain(name, f"loading its state after {updates} updates"):
        save_state(optimizer.state_dict(), Path(folder) / "state.pt")
        state = load_state(Path(folder) / "state.pt")
        load_optimizer_state(anew, state, describe_state(build, anew.param_groups))
    for _ in range(2):
        _update(name, optimizer, parameters)
        _update(name, anew, copies)
    same = all(one.equal(other) for one, other in zip(parameters, copies, strict=True))
    assert same, f"{name}: goes on to other weights after its state of {updates} updates was loaded"
