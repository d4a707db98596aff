"""Adam with decoupled weight decay (arXiv 1711.05101), as `torch.optim.AdamW` computes it."""

from __future__ import annotations

from typing import Any

import torch

from fas_core import Hyperparameters
from fas_plugins.optimizers.options import AdamWOptions


def build_adamw(
    options: AdamWOptions, parameters: list[dict[str, Any]], train: Hyperparameters
) -> torch.optim.Optimizer:
    """Return the optimizer of parameter groups."""
    return torch.optim.AdamW(
        parameters, train.lr, betas=options.betas, eps=options.eps, weight_decay=train.weight_decay
    )
