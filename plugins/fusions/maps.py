"""Joining branches' maps: the larger are brought to the smallest one's size, then channels are stacked.

Larger maps are averaged down (adaptive average pooling), so that nothing is invented or skipped. Backbones at
one input size differ by powers of two, and then each value is the plain mean of a square of places.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fas_core.contracts import BranchSize


class JoinMaps(nn.Module):
    """`{modality: (B, C, h, w)}` -> (B, sum of C, least h, least w), in the order of `branches`."""

    def __init__(self, branches: Sequence[BranchSize]) -> None:
        super().__init__()
        self.modalities = tuple(branch.modality for branch in branches)
        self.channels = sum(branch.map[0] for branch in branches)
        self.size = min(branch.map[1] for branch in branches), min(branch.map[2] for branch in branches)

    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        maps = [branches[modality] for modality in self.modalities]
        return torch.cat([self._resized(each) for each in maps], dim=1)

    def _resized(self, x: Tensor) -> Tensor:
        return x if x.shape[-2:] == self.size else F.adaptive_avg_pool2d(x, self.size)
