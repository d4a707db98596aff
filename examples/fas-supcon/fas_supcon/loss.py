"""Supervised Contrastive Learning (arXiv 2004.11362)."""

from __future__ import annotations

from math import inf
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fas_core import Batch, Outputs
from fas_supcon.options import SupConOptions


class SupCon(nn.Module):
    """Cross entropy of the logits plus `weight` times the contrastive loss of the embeddings.

    The paper trains the classifier after the embedding; here both are trained together.
    """

    needs = ("logits", "embedding")  # a model without them is refused before training begins
    pairwise: Literal[True] = True

    def __init__(self, options: SupConOptions, model: nn.Module) -> None:
        super().__init__()
        self.weight, self.temperature = options.weight, options.temperature

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        """Return the scalar loss of `outputs.logits`, (B, K), and `outputs.embedding`, (B, E)."""
        assert outputs.logits is not None  # `needs` has them
        assert outputs.embedding is not None
        contrast = supervised_contrast(outputs.embedding.float(), batch.label, self.temperature)
        return F.cross_entropy(outputs.logits.float(), batch.label) + self.weight * contrast


def supervised_contrast(embedding: Tensor, label: Tensor, temperature: float) -> Tensor:
    """Return the paper's loss L_out (equation 2), the mean over samples that are not alone in their class.

    For a sample i it is the mean of -log p_ij over the other samples j of its class, where p_ij is the
    softmax of cos(i, j) / temperature over all samples but i. It is 0 where no two samples share a class.

    Args:
        embedding: (B, E), not normalised.
        label: (B,).
    """
    direction = F.normalize(embedding)
    cosines = direction @ direction.T / temperature  # (B, B)
    itself = torch.eye(len(label), dtype=torch.bool, device=label.device)
    log_p = cosines - cosines.masked_fill(itself, -inf).logsumexp(dim=1, keepdim=True)
    positive = (label[:, None] == label) & ~itself  # (B, B)
    count = positive.sum(dim=1)  # (B,)
    loss = -log_p.where(positive, 0).sum(dim=1) / count.clamp(min=1)
    return loss.sum() / (count > 0).sum().clamp(min=1)
