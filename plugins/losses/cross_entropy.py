"""Cross entropy, with class weights and label smoothing.

Label smoothing: Rethinking the Inception Architecture for Computer Vision, arXiv 1512.00567.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fas_core.records.outputs import Batch, Outputs
from fas_plugins.losses.classification import require_logits
from fas_plugins.losses.options import CrossEntropyOptions


class CrossEntropy(nn.Module):
    """Mean over the batch of -sum_c w_c q_c log(p_c), over c = attack, live.

    p is the softmax over all K; q is 1 - smoothing / 2 for the true class and smoothing / 2 for the other of
    the two, so that classes that never occur get no probability. The mean is over B, not over the sum of
    weights.
    """

    needs = ("logits",)
    weight: Tensor

    def __init__(self, options: CrossEntropyOptions, model: nn.Module | None = None) -> None:
        super().__init__()
        self.smoothing = options.smoothing
        self.register_buffer("weight", torch.tensor(options.weight or (1.0, 1.0)), persistent=False)

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        """A scalar; needs `outputs.logits`, (B, K)."""
        log_p = require_logits(outputs, "cross_entropy").log_softmax(dim=1)[:, :2]  # (B, 2)
        one_hot = nn.functional.one_hot(batch.label, 2).to(log_p.dtype)
        target = one_hot * (1 - self.smoothing) + self.smoothing / 2
        return -(self.weight * target * log_p).sum(dim=1).mean()
