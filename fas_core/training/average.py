"""Exponential moving average of a model's weights over its updates.

Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992), with exponentially
decaying weights as in Tarvainen and Valpola, "Mean teachers are better role models" (arXiv 1703.01780).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from fas_core.models.model import Model


def decay_at(updates: int, decay: float) -> float:
    """Return the decay of an update: min(decay, (1 + updates) / (10 + updates)).

    It is smaller at first, so that the random weights of the start are soon forgotten.

    Args:
        updates: number of updates before this one.
        decay: the final decay, in (0, 1).
    """
    return min(decay, (1 + updates) / (10 + updates))


class MovingAverage(AveragedModel):
    """Moving average of a model's weights and batch-norm statistics; `update_parameters(model)` updates it.

    Args:
        model: the average starts as a copy of this model.
        decay: share of the average that each update keeps, in (0, 1).
    """

    def __init__(self, model: Model, decay: float) -> None:
        super().__init__(cast(nn.Module, model), multi_avg_fn=_update_with(decay), use_buffers=True)

    @property
    def model(self) -> Model:
        """The model with the averaged weights."""
        return cast(Model, self.module)


def _update_with(decay: float) -> Callable[[Any, Any, Any], None]:
    @torch.no_grad()
    def update(averages: list[Tensor], values: list[Tensor], updates: Tensor | int) -> None:
        weight = 1 - decay_at(int(updates), decay)
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value, weight)
            else:  # number of batches that a batch norm has seen
                average.copy_(value)

    return update
