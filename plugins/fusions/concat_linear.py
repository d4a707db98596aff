"""Feature-level fusion: the branches' embeddings, concatenated, and one linear layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from fas_core.contracts import BranchSize
from fas_plugins.fusions.classifier import ClassifierFusion
from fas_plugins.fusions.options import ClassifierOptions


class ConcatLinear(ClassifierFusion):
    """`{modality: (B, E)}` -> (B, num_classes); E may differ between the modalities.

    Three FeatherNetB branches at 224: 3 x 1024 -> 2, 1,059,806 parameters with the branches.
    """

    def __init__(
        self, options: ClassifierOptions, branches: Sequence[BranchSize], num_classes: int = 2
    ) -> None:
        super().__init__()
        self.modalities = tuple(branch.modality for branch in branches)
        # Never None: this fusion takes embeddings, so they are built.
        sizes = [cast(int, branch.embedding) for branch in branches]
        self.add_classifier(options, sum(sizes), num_classes)

    def forward_embedding(self, branches: dict[str, Tensor]) -> Tensor:
        """`{modality: (B, E)}` -> (B, sum of E), whatever the order of the mapping."""
        return torch.cat([branches[modality] for modality in self.modalities], dim=1)
