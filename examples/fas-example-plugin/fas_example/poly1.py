"""PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions (arXiv 2204.12511)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from fas_core import Batch, Outputs
from fas_example.options import Poly1Options


class Poly1(nn.Module):
    """Mean over the batch of -log(p_t) + epsilon (1 - p_t); p_t: softmax probability of the true class."""

    needs = ("logits",)  # a model without them is refused before training begins

    def __init__(self, options: Poly1Options, model: nn.Module) -> None:
        super().__init__()
        self.epsilon = options.epsilon

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        """Return the scalar loss of `outputs.logits`, (B, K)."""
        assert outputs.logits is not None  # `needs` has them
        nll = cross_entropy(outputs.logits.float(), batch.label, reduction="none")  # (B,)
        return (nll + self.epsilon * (1 - torch.exp(-nll))).mean()
