"""Any class of `torch.optim`, by its name.

Its arguments are tried on a small parameter before training begins, so that what the class refuses, whenever
it does, is one line.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from fas_core import ConfigError, Hyperparameters
from fas_core.errors import suggest_closest
from fas_plugins.optimizers.options import GIVEN_BY_RECIPE, ByNameOptions

KEY = "train.optimizer"

UNFIT = {
    "LBFGS": "it computes the loss several times for an update (a closure), which training does once",
    "SparseAdam": "it takes sparse gradients alone, and those of a model are dense",
}
"""Classes that cannot train a model here, and why."""


def build_by_name(
    options: ByNameOptions, parameters: list[dict[str, Any]], train: Hyperparameters
) -> torch.optim.Optimizer:
    """Return the optimizer of parameter groups.

    Raises:
        ConfigError: there is no such class, or it cannot train a model, or it refuses an argument.
    """
    kind = _find_class(options.type)
    known = [name for name in inspect.signature(kind).parameters if name not in GIVEN_BY_RECIPE]
    if unknown := [name for name in options.arguments if name not in known]:
        suggestion = suggest_closest(unknown[0], known)
        raise ConfigError(f"{KEY}.arguments: {options.type} has no argument {unknown[0]!r}{suggestion}")
    shared = {"momentum": train.momentum, "weight_decay": train.weight_decay}
    arguments = {name: value for name, value in shared.items() if name in known}
    arguments |= {name: _to_argument(value) for name, value in options.arguments.items()}
    try:
        _try_update(kind, train.lr, arguments)
        return kind(parameters, lr=train.lr, **arguments)
    except Exception as error:  # of any type, as each class has its own checks
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"{KEY}: torch.optim.{options.type}: {reason}") from error


def _find_class(name: str) -> Callable[..., torch.optim.Optimizer]:
    """Return the class of a name.

    Raises:
        ConfigError: there is none, or it cannot train a model.
    """
    classes = {
        key: value
        for key, value in vars(torch.optim).items()
        if isinstance(value, type) and issubclass(value, torch.optim.Optimizer) and key != "Optimizer"
    }
    if name not in classes:
        suggestion = suggest_closest(name, classes)
        raise ConfigError(f"{KEY}.type: torch.optim has no optimizer {name!r}{suggestion}")
    if name in UNFIT:
        raise ConfigError(f"{KEY}.type: {name} cannot be used: {UNFIT[name]}")
    return classes[name]


def _to_argument(value: Any) -> Any:
    """Return a recipe's value as the class takes it: tuples, such as betas, are lists in YAML."""
    return tuple(value) if isinstance(value, list) else value


def _try_update(kind: Callable[..., torch.optim.Optimizer], lr: float, arguments: Mapping[str, Any]) -> None:
    """Update a parameter of 2 x 2 once; raise what the class raises."""
    parameter = nn.Parameter(torch.ones(2, 2))
    parameter.grad = torch.ones(2, 2)
    kind([parameter], lr=lr, **arguments).step()
