"""Late fusion: the mean of the branches' scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from fas_core import NoOptions
from fas_core.contracts import BranchSize


class ScoreMean(nn.Module):
    """`{modality: (B, K)}` -> (B, 2), log-probabilities of attack and live; K may differ between modalities.

    The softmax of the output is the mean of the branches' P(live), so any classification loss trains the
    whole model. A branch that predicts a map (K = 1) has a score and no probability: with such a branch the
    output is (B, 1), the mean of all the branches' scores.
    """

    takes_presence: Literal[True] = True

    def __init__(self, options: NoOptions, branches: Sequence[BranchSize], num_classes: int = 2) -> None:
        super().__init__()
        self.modalities = tuple(branch.modality for branch in branches)
        self.averages_scores = any(branch.logits == 1 for branch in branches)
        self.num_logits = 1 if self.averages_scores else 2

    def forward(self, branches: dict[str, Tensor], presence: dict[str, Tensor] | None = None) -> Tensor:
        """`{modality: (B, K)}` -> (B, 2), or (B, 1) if a branch predicts a map, over present modalities."""
        to_output = to_score if self.averages_scores else to_log_probabilities
        outputs = torch.stack([to_output(branches[name]) for name in self.modalities])  # (M, B, 1 or 2)
        if presence is None:
            if self.averages_scores:
                return outputs.mean(dim=0)
            return outputs.logsumexp(dim=0) - math.log(len(outputs))
        present = torch.stack([presence[name] for name in self.modalities])[:, :, None]  # (M, B, 1)
        count = present.sum(dim=0)  # (B, 1)
        if self.averages_scores:
            return (outputs * present).sum(dim=0) / count
        return outputs.masked_fill(~present, -math.inf).logsumexp(dim=0) - count.log()


def to_log_probabilities(logits: Tensor) -> Tensor:
    """(B, K) -> (B, 2): log P(not live) and log P(live), where live is class 1 of K."""
    log_p = logits.log_softmax(dim=1)
    others = torch.cat([log_p[:, :1], log_p[:, 2:]], dim=1).logsumexp(dim=1)
    return torch.stack([others, log_p[:, 1]], dim=1)


def to_score(logits: Tensor) -> Tensor:
    """(B, K) -> (B, 1): P(live), or the score itself where K is 1."""
    return logits if logits.shape[1] == 1 else logits.softmax(dim=1)[:, 1:2]
