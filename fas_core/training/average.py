"""A running mean of a model's weights over its updates.

Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging (1992), with weights that fade
exponentially, as in Mean teachers are better role models (arXiv 1703.01780).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from fas_core.models.model import Model


def decay_at(updates: int, decay: float) -> float:
    """What the mean keeps of itself at an update: less in the first ones, or their weights would stay in it.

    Args:
        updates: how many there were before this one.
        decay: what it keeps later on.
    """
    return min(decay, (1 + updates) / (10 + updates))


class Average(AveragedModel):
    """The mean of a model's weights and of its batch norms' statistics; `update_parameters` takes a step in.

    Args:
        model: whose weights; the mean starts as a copy of it.
        decay: what the mean keeps of itself at each update, in (0, 1).
    """

    def __init__(self, model: Model, decay: float) -> None:
        super().__init__(cast(nn.Module, model), multi_avg_fn=_fading(decay), use_buffers=True)

    @property
    def model(self) -> Model:
        """The model with the mean weights."""
        return cast(Model, self.module)


def _fading(decay: float) -> Callable[[Any, Any, Any], None]:
    @torch.no_grad()
    def update(mean: list[Tensor], current: list[Tensor], updates: Tensor | int) -> None:
        share = 1 - decay_at(int(updates), decay)
        for ours, theirs in zip(mean, current, strict=True):
            if ours.is_floating_point():
                ours.lerp_(theirs, share)
            else:  # batch norm's counter
                ours.copy_(theirs)

    return update
