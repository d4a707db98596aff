"""Scoring a face by patches of it: cutting them out, and joining what the networks give for each."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PatchGrid(nn.Module):
    """Cut faces into patches: (B, F, F, 3) -> (B x P, size, size, 3), with P = grid x grid.

    The patches of a face follow each other, row by row.

    Args:
        grid: patches a side, spread evenly from edge to edge; 1 is the central patch.
        size: side of a patch in pixels.
        face_size: F.
    """

    def __init__(self, grid: int, size: int, face_size: int) -> None:
        super().__init__()
        margin = face_size - size
        starts = [round(margin * index / (grid - 1)) for index in range(grid)] if grid > 1 else [margin // 2]
        self.corners = [(top, left) for top in starts for left in starts]
        self.size, self.face_size = size, face_size

    def forward(self, pixels: Tensor) -> Tensor:
        side = self.size
        patches = [pixels[:, top : top + side, left : left + side] for top, left in self.corners]
        return torch.stack(patches, dim=1).flatten(0, 1)

    def repeat(self, presence: Tensor) -> Tensor:
        """(B, modalities) -> (B x P, modalities)."""
        return presence[:, None].expand(-1, len(self.corners), -1).flatten(0, 1)

    def mean(self, logits: Tensor) -> Tensor:
        """(B x P, K) -> (B, K)."""
        return torch.unflatten(logits, 0, (-1, len(self.corners))).mean(dim=1)

    def assemble(self, maps: Tensor) -> Tensor:
        """Maps of patches, (B x P, h, w), as one map of each face, (B, F, F); means where patches overlap."""
        side = self.size
        tiles = F.interpolate(maps[:, None], (side, side), mode="bilinear")[:, 0]
        tiles = torch.unflatten(tiles, 0, (-1, len(self.corners)))  # (B, P, size, size)
        total = maps.new_zeros(len(tiles), self.face_size, self.face_size)
        count = maps.new_zeros(self.face_size, self.face_size)
        for index, (top, left) in enumerate(self.corners):
            total[:, top : top + side, left : left + side] += tiles[:, index]
            count[top : top + side, left : left + side] += 1
        return total / count.clamp(min=1)
