"""Late fusion: the mean of the branches' scores."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fas_core import NoOptions
from fas_core.contracts import BranchSize


class ScoreMean(nn.Module):
    """`{modality: (B, K)}` -> (B, 2), log-probabilities of attack and live; K may differ between modalities.

    The softmax of what it gives is the mean of the branches' P(live), so it is trained as a whole by any
    classification loss. Branches that predict a map (K = 1) have a score and no probability: with one of
    those among them the result is (B, 1), the mean of all the branches' scores.
    """

    def __init__(self, options: NoOptions, branches: Sequence[BranchSize], num_classes: int = 2) -> None:
        super().__init__()
        self.modalities = tuple(branch.modality for branch in branches)
        self.maps = any(branch.logits == 1 for branch in branches)
        self.num_logits = 1 if self.maps else 2

    def forward(self, branches: dict[str, Tensor], presence: dict[str, Tensor] | None = None) -> Tensor:
        """`{modality: (B, K)}` -> (B, 2), or (B, 1) where a branch predicts a map; over those present."""
        logits = [branches[modality] for modality in self.modalities]
        each = torch.stack([score(x)[:, None] if self.maps else two_classes(x) for x in logits])
        if presence is None:
            return each.mean(dim=0) if self.maps else each.logsumexp(dim=0) - math.log(len(logits))
        present = torch.stack([presence[modality] for modality in self.modalities])[:, :, None]
        count = present.sum(dim=0)  # (B, 1)
        if self.maps:
            return (each * present).sum(dim=0) / count
        return each.masked_fill(~present, -math.inf).logsumexp(dim=0) - count.log()


def two_classes(logits: Tensor) -> Tensor:
    """(B, K) -> (B, 2): log P(not live) and log P(live), where live is class 1 of K."""
    log_p = logits.log_softmax(dim=1)
    others = torch.cat([log_p[:, :1], log_p[:, 2:]], dim=1).logsumexp(dim=1)
    return torch.stack([others, log_p[:, 1]], dim=1)


def score(logits: Tensor) -> Tensor:
    """(B, K) -> (B,): P(live), or of K = 1 the score as it is."""
    return logits[:, 0] if logits.shape[1] == 1 else logits.softmax(dim=1)[:, 1]
