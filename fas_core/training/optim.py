"""The optimizer and the schedule of a recipe, and the moving average of a model's weights.

Average: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992); its weights
decay as in Tarvainen and Valpola, "Mean teachers are better role models" (arXiv 1703.01780).
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from fas_core.config.train import TrainConfig
from fas_core.contracts import ScheduleFunction
from fas_core.descriptors import Optimizer, Schedule
from fas_core.errors import FasError
from fas_core.models.model import Model
from fas_core.registry import Registry

Groups = list[dict[str, Any]]
"""Parameter groups as PyTorch has them: `{"params": [...], "lr": 0.01, "lr_factor": 1.0}`."""


def build_optimizer(config: TrainConfig, registry: Registry, parameters: Groups) -> torch.optim.Optimizer:
    """Build a recipe's optimizer of parameter groups.

    Raises:
        FasError: its target gives no `torch.optim.Optimizer`, or one that training cannot call.
    """
    choice = config.optimizer
    component = registry.find(Optimizer, choice.name)
    optimizer = component.call(choice.options, parameters=parameters, train=config.hyperparameters)
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise FasError(f"{component}: its target returned {optimizer!r}, which is no torch.optim.Optimizer")
    if problem := describe_step_problem(optimizer):
        raise FasError(f"{component}: {problem}")
    return optimizer


def describe_step_problem(optimizer: torch.optim.Optimizer) -> str:
    """Return why training, which calls `step(None)` after it computed the loss, cannot; empty if it can."""
    signature = inspect.signature(optimizer.step)
    try:
        signature.bind(None)
    except TypeError:
        return "its step() takes no closure: it must read step(self, closure=None)"
    try:
        signature.bind()
    except TypeError:
        return "its step() needs a closure, which computes the loss again: training computes it once"
    return ""


def build_schedule(config: TrainConfig, registry: Registry, updates_per_epoch: int) -> ScheduleFunction:
    """Build a recipe's schedule; raise FasError if its target gives nothing that can be called."""
    choice = config.schedule
    component = registry.find(Schedule, choice.name)
    train = config.hyperparameters
    schedule = component.call(choice.options, updates_per_epoch=updates_per_epoch, train=train)
    if not callable(schedule):
        raise FasError(f"{component}: its target returned {schedule!r}, which is not callable")
    return cast(ScheduleFunction, schedule)


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
