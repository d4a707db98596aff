"""Stochastic gradient descent with momentum, as `torch.optim.SGD` computes it."""

from __future__ import annotations

from typing import Any

import torch

from fas_core import ConfigError, Hyperparameters
from fas_plugins.optimizers.options import SGDOptions


def build_sgd(
    options: SGDOptions, parameters: list[dict[str, Any]], train: Hyperparameters
) -> torch.optim.Optimizer:
    """Return the optimizer of parameter groups; raise ConfigError for Nesterov's form without momentum."""
    if options.nesterov and not train.momentum:
        raise ConfigError("train.optimizer.nesterov: needs a train.momentum above 0")
    return torch.optim.SGD(
        parameters,
        train.lr,
        momentum=train.momentum,
        weight_decay=train.weight_decay,
        nesterov=options.nesterov,
    )
