"""Focal Loss for Dense Object Detection, arXiv 1708.02002; over a softmax, as the FeatherNets are trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fas_core.records.outputs import Batch, Outputs
from fas_plugins.losses.classification import require_logits
from fas_plugins.losses.options import FocalOptions


class Focal(nn.Module):
    """Mean over the batch of -alpha_t (1 - p_t)^gamma log(p_t).

    p_t is the true class's probability under the softmax over all K, alpha_t its weight. The mean is over B,
    not over the sum of alphas.
    """

    needs = ("logits",)
    alpha: Tensor

    def __init__(self, options: FocalOptions, model: nn.Module | None = None) -> None:
        super().__init__()
        self.gamma = options.gamma
        self.register_buffer("alpha", torch.tensor(options.alpha or (1.0, 1.0)), persistent=False)

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        """A scalar; needs `outputs.logits`, (B, K)."""
        logits = require_logits(outputs, "focal")
        log_p, log_rest = split_log_probabilities(logits, batch.label)
        focus = torch.exp(self.gamma * log_rest)  # (1 - p_t)^gamma
        return (-self.alpha[batch.label] * focus * log_p).mean()


def split_log_probabilities(logits: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Return log(p_t) and log(1 - p_t), (B,) each, of (B, K) logits and (B,) labels.

    1 - p_t is the sum of the other classes' probabilities: computed in log space, it and its gradient stay
    finite where p_t rounds to 1 or to 0.
    """
    target = label[:, None]  # (B, 1)
    log_all = logits.logsumexp(dim=1)
    log_p = logits.gather(1, target).squeeze(1) - log_all
    others = logits.scatter(1, target, -torch.inf)
    return log_p, others.logsumexp(dim=1) - log_all
