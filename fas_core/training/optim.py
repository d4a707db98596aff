"""Optimisers and learning-rate schedules."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from fas_core.config.recipe import TrainConfig


def build_optimizer(config: TrainConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the recipe's optimiser: SGD with momentum, or AdamW (arXiv 1711.05101)."""
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, config.lr, momentum=config.momentum, weight_decay=config.weight_decay
        )
    return torch.optim.AdamW(parameters, config.lr, weight_decay=config.weight_decay)


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
