"""Symbolic Discovery of Optimization Algorithms (arXiv 2302.06675)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.optim import Optimizer

from fas_training.options import LionOptions

if TYPE_CHECKING:
    from fas_core.contracts import Hyperparameters


class Lion(Optimizer):
    """Moves every weight by the learning rate, against the sign of momentum and gradient (algorithm 2)."""

    def __init__(
        self, options: LionOptions, parameters: list[dict[str, Any]], train: Hyperparameters
    ) -> None:
        defaults = {"lr": train.lr, "weight_decay": train.weight_decay}
        super().__init__(parameters, defaults | {"beta": options.beta, "decay": options.decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the weights that have a gradient."""
        for group in self.param_groups:
            rate, beta, decay = group["lr"], group["beta"], group["decay"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum = state["momentum"]
                update = momentum.lerp(weight.grad, 1 - beta).sign()
                weight.sub_(rate * (update + group["weight_decay"] * weight))
                momentum.lerp_(weight.grad, 1 - decay)
