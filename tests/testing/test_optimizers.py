"""The contract check of optimizers accepts ours and names what others break."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from fas_core.descriptors import Optimizer
from fas_core.registry import registry
from fas_core.testing import ContractError, check_optimizer
from fas_plugins.optimizers.options import AdamWOptions, ByNameOptions, SGDOptions

Provide = Callable[..., str]


@pytest.mark.parametrize("name", [item.name for item in registry().all(Optimizer)])
def test_every_installed_optimizer_passes(name: str) -> None:
    check_optimizer(name)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sgd", SGDOptions(nesterov=True)),
        ("adamw", AdamWOptions(betas=(0.5, 0.9))),
        ("torch", ByNameOptions("RMSprop", {"centered": True})),
        ("torch", ByNameOptions("Adafactor")),
    ],
)
def test_ours_pass_with_other_options(name: str, options: Any) -> None:
    check_optimizer(name, options)


class Plain(torch.optim.Optimizer):
    """Gradient descent; those below break it."""

    def __init__(self, options: Any, parameters: Any, train: Any) -> None:
        super().__init__(parameters, {"lr": train.lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                self.change(parameter, group["lr"])

    def change(self, parameter: Any, lr: float) -> None:
        if parameter.grad is not None:
            parameter.sub_(lr * parameter.grad)


class OneGroup(Plain):
    def __init__(self, options: Any, parameters: Any, train: Any) -> None:
        super().__init__(options, [item for group in parameters for item in group["params"]], train)


class OwnRate(Plain):
    def __init__(self, options: Any, parameters: Any, train: Any) -> None:
        super().__init__(options, [{**group, "lr": 0.1} for group in parameters], train)


class Climbs(Plain):
    def change(self, parameter: Any, lr: float) -> None:
        super().change(parameter, -lr)


class FixedRate(Plain):
    def change(self, parameter: Any, lr: float) -> None:
        super().change(parameter, 0.01)


class DecaysAll(Plain):
    def change(self, parameter: Any, lr: float) -> None:
        parameter.mul_(1 - lr)


class Divides(Plain):
    def change(self, parameter: Any, lr: float) -> None:
        parameter.sub_(lr * parameter.grad)


class HidesItsState(Plain):
    """Its momentum is no part of its state."""

    momentum: dict[int, Any]

    def change(self, parameter: Any, lr: float) -> None:
        if parameter.grad is not None:
            self.__dict__.setdefault("momentum", {})
            last = self.momentum.get(id(parameter), 0)
            self.momentum[id(parameter)] = 0.5 * last + parameter.grad
            parameter.sub_(lr * self.momentum[id(parameter)])


class StoresMoreLater(Plain):
    def change(self, parameter: Any, lr: float) -> None:
        super().change(parameter, lr)
        if parameter.grad is not None:
            state = self.state[parameter]
            state[f"gradient {len(state)}"] = parameter.grad.clone()


class StoresItself(Plain):
    def change(self, parameter: Any, lr: float) -> None:
        super().change(parameter, lr)
        self.state[parameter]["owner"] = type(self)


class NeedsClosure(Plain):
    def step(self, closure: Any) -> None:  # type: ignore[override]
        closure()


class TakesNoClosure(Plain):
    def step(self) -> None:  # type: ignore[override]
        pass


def test_gradient_descent_passes(provide: Provide) -> None:
    check_optimizer(provide("optimizer", Plain))


@pytest.mark.parametrize(
    ("target", "rule", "message"),
    [
        (lambda options, parameters: None, "call", "raised TypeError: .*'train'"),
        (lambda options, parameters, train: 3, "call", "target gave a int, no torch.optim.Optimizer"),
        (NeedsClosure, "call", r"step\(\) needs a closure"),
        (TakesNoClosure, "call", r"step\(\) takes no closure"),
        (OneGroup, "parameter groups", "has 1 parameter groups of 2"),
        (OwnRate, "parameter groups", "lr of a group is 0.1, and was given as 0.01"),
        (Climbs, "descends", "ten updates take a sum of squares from .* to "),
        (DecaysAll, "without gradients", "changes a parameter that has no gradient"),
        (Divides, "call", r"step\(\) raised TypeError"),
        (FixedRate, "learning rate", "a lower `lr` of the parameter groups changes nothing"),
        (HidesItsState, "goes on", "goes on to other weights after its state of 1 updates was loaded"),
        (StoresMoreLater, "goes on", "loading its state after 5 updates raised ValueError"),
        (StoresItself, "goes on", "loading its state after 1 updates raised ModelError"),
    ],
)
def test_a_broken_optimizer_is_named(provide: Provide, target: Any, rule: str, message: str) -> None:
    with pytest.raises(ContractError, match=f"^broken: .*{message}") as caught:
        check_optimizer(provide("optimizer", target))
    assert caught.value.rule == rule
