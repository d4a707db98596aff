"""Joining the branches' maps: larger maps are pooled to the smallest size, then channels are concatenated.

Adaptive average pooling neither invents nor skips values. Map sides of backbones at one input size differ by
powers of two, and then each pooled value is the plain mean of a square of positions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fas_core.contracts import BranchSize


class JoinMaps(nn.Module):
    """`{modality: (B, C, h, w)}` -> (B, sum of C, smallest h, smallest w), in the order of `branches`."""

    def __init__(self, branches: Sequence[BranchSize]) -> None:
        super().__init__()
        self.modalities = tuple(branch.modality for branch in branches)
        self.channels = sum(branch.map[0] for branch in branches)
        self.size = min(branch.map[1] for branch in branches), min(branch.map[2] for branch in branches)

    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        maps = [branches[modality] for modality in self.modalities]
        return torch.cat([self._resize(x) for x in maps], dim=1)

    def _resize(self, x: Tensor) -> Tensor:
        return x if x.shape[-2:] == self.size else F.adaptive_avg_pool2d(x, self.size)
