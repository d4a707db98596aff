"""Attention over modalities: the pooling of arXiv 1802.04712, whose instances are modalities here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Literal

import torch
from torch import Tensor, nn

from fas_attention.options import AttentionOptions
from fas_core import BranchSize


class Attention(nn.Module):
    """`{modality: (B, E)}` -> (B, num_classes); E may differ between the modalities.

    Each embedding is projected to `width` numbers. The joint embedding is their mean, weighted by a softmax
    over the modalities (equations 7 and 8 of the paper). A modality that is missing has no weight, so that
    those of the others add up to 1.
    """

    takes_presence: Literal[True] = True

    def __init__(
        self, options: AttentionOptions, branches: Sequence[BranchSize], num_classes: int = 2
    ) -> None:
        super().__init__()
        self.embedding_dim, self.num_logits = options.width, num_classes
        sizes = {branch.modality: branch.embedding or 0 for branch in branches}  # embeddings are built
        self.projections = nn.ModuleDict(
            {name: nn.Linear(size, options.width) for name, size in sizes.items()}
        )
        self.importance = nn.Sequential(
            nn.Linear(options.width, options.hidden), nn.Tanh(), nn.Linear(options.hidden, 1)
        )
        self.classifier = nn.Sequential(nn.Dropout(options.dropout), nn.Linear(options.width, num_classes))

    def forward_embedding(
        self, branches: Mapping[str, Tensor], presence: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """`{modality: (B, E)}` and, where some are missing, `{modality: (B,) bool}` -> (B, width)."""
        projected = torch.stack(
            [layer(branches[name]) for name, layer in self.projections.items()], dim=1
        )  # (B, M, width)
        importance = self.importance(projected).squeeze(2)  # (B, M)
        if presence is not None:
            present = torch.stack([presence[name] for name in self.projections], dim=1)
            importance = importance.masked_fill(~present, -inf)
        weights = importance.softmax(dim=1).unsqueeze(2)
        return (weights * projected).sum(dim=1)

    def forward_head(self, embedding: Tensor) -> Tensor:
        """(B, width) -> (B, num_classes)."""
        logits: Tensor = self.classifier(embedding)
        return logits

    def forward(self, branches: Mapping[str, Tensor], presence: Mapping[str, Tensor] | None = None) -> Tensor:
        """`{modality: (B, E)}` -> (B, num_classes)."""
        return self.forward_head(self.forward_embedding(branches, presence))
