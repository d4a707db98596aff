"""Early fusion: the modalities' channels stacked before one backbone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fas_core import NoOptions
from fas_core.contracts import BranchSize


class InputConcat(nn.Module):
    """`{modality: (B, C, H, W)}` -> (B, out_channels, H, W), the shared backbone's input.

    Attributes:
        out_channels: sum of C, 3 for each modality.
    """

    def __init__(self, options: NoOptions, branches: Sequence[BranchSize], num_classes: int = 2) -> None:
        super().__init__()
        self.modalities = tuple(branch.modality for branch in branches)
        self.out_channels = sum(branch.map[0] for branch in branches)

    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        """`{modality: (B, C, H, W)}` -> (B, out_channels, H, W), whatever the order of the mapping."""
        return torch.cat([branches[modality] for modality in self.modalities], dim=1)
