"""Optimisers, learning-rate schedules, and the moving average of a model's weights.

Average: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992); its weights
decay as in Tarvainen and Valpola, "Mean teachers are better role models" (arXiv 1703.01780).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from fas_core.config.train import TrainConfig
from fas_core.models.model import Model

SGD_STATE = {"momentum_buffer"}
ADAM_STATE = {"step", "exp_avg", "exp_avg_sq"}
"""Names of what an optimiser stores for each parameter."""


def build_optimizer(
    config: TrainConfig, parameters: Iterable[nn.Parameter] | list[dict[str, Any]]
) -> torch.optim.Optimizer:
    """Return the optimiser of parameters or groups: SGD with momentum, or AdamW (arXiv 1711.05101)."""
    decay = config.weight_decay
    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, config.lr, momentum=config.momentum, weight_decay=decay)
    return torch.optim.AdamW(parameters, config.lr, weight_decay=decay)


def load_optimizer_state(optimizer: Any, state: Any) -> None:
    """Load the state of an optimiser of the same kind and parameters.

    Options that the state lacks, e.g. of an older torch, stay as they are.

    Raises:
        TypeError, ValueError, LookupError, ...: a value is of another type or shape, which torch would not
            notice before the next update.
    """
    groups = []
    for group, expected in zip(state["param_groups"], optimizer.state_dict()["param_groups"], strict=True):
        if any(_kind(group.get(name, value)) != _kind(value) for name, value in expected.items()):
            raise ValueError("the optimiser has options of other types")
        groups.append({**expected, **group})
    optimizer.load_state_dict({**state, "param_groups": groups})
    names = ADAM_STATE if "betas" in groups[0] else SGD_STATE
    for parameter, values in optimizer.state.items():
        if set(values) != names:
            raise ValueError("the optimiser has other values")
        for name, value in values.items():
            shape = torch.Size() if name == "step" else parameter.shape
            is_unset = name == "momentum_buffer" and value is None
            if not is_unset and not (isinstance(value, Tensor) and value.shape == shape):
                raise ValueError(f"the optimiser's {name} has another type or shape")


def load_scaler_state(scaler: Any, state: Any) -> None:
    """Load the state of a `torch.amp.GradScaler`.

    Raises:
        AttributeError, ValueError: a value is missing, or no number, which torch would not notice before the
            next update.
    """
    if state.keys() != scaler.state_dict().keys() or not all(
        type(value) in (int, float) for value in state.values()
    ):
        raise ValueError("the scaler of gradients has other values")
    scaler.load_state_dict(state)


def _kind(value: object) -> object:
    """Return the type of an option, whole numbers as any; a switch, which decides what is stored, itself."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        return tuple(_kind(item) for item in value)
    return float if type(value) is int else type(value)


def learning_rate(config: TrainConfig, epoch: int) -> float:
    """Return the learning rate of an epoch (from 0).

    `step`: lr x decay^floor(epoch / every_decay); `cosine` (SGDR, arXiv 1608.03983, eq. 5, one cycle):
    lr x (1 + cos(pi x epoch / epochs)) / 2; `constant`: lr.
    """
    if config.schedule == "step":
        return config.lr * config.decay ** (epoch // config.every_decay)
    if config.schedule == "cosine":
        return config.lr * (1 + math.cos(math.pi * epoch / config.epochs)) / 2
    return config.lr


def decay_at(updates: int, decay: float) -> float:
    """Return the decay after a number of updates: min(decay, (1 + updates) / (10 + updates)).

    It is smaller at first, so that the random weights of the start are soon forgotten. `decay` is the final
    one, in (0, 1).
    """
    return min(decay, (1 + updates) / (10 + updates))


class MovingAverage(AveragedModel):
    """Moving average of a model's weights and batch-norm statistics; `update_parameters(model)` updates it.

    It starts as a copy of the model. `decay` is the share of the average that each update keeps, in (0, 1).
    """

    def __init__(self, model: Model, decay: float) -> None:
        super().__init__(cast(nn.Module, model), multi_avg_fn=self._update, use_buffers=True)
        self.decay = decay

    @property
    def model(self) -> Model:
        """The model with the averaged weights."""
        return cast(Model, self.module)

    @torch.no_grad()
    def _update(self, averages: Sequence[Tensor], values: Sequence[Tensor], _: Tensor | int) -> None:
        """Update the averages of one device and type.

        The count of updates is read from the CPU, where the module keeps it: a copy on the device would have
        to be waited for.
        """
        weight = 1 - decay_at(int(self.n_averaged), self.decay)
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value, weight)
            else:  # number of batches that a batch norm has seen
                average.copy_(value)
