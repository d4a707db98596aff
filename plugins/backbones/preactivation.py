"""Pre-activation bottleneck blocks, which FishNet consists of.

Identity Mappings in Deep Residual Networks, arXiv 1603.05027; the folding is FishNet's (arXiv 1901.03495).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def build_bn_relu(channels: int) -> list[nn.Module]:
    """Return the batch norm and ReLU before a convolution."""
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


class Block(nn.Module):
    """Pre-activation bottleneck: (B, C, H, W) -> (B, out, H, W).

    Args:
        folds: whether the shortcut sums groups of C / out neighbouring channels, as in FishNet's body,
            instead of projecting.
    """

    def __init__(self, in_channels: int, out_channels: int, dilation: int = 1, folds: bool = False) -> None:
        super().__init__()
        hidden = out_channels // 4
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, hidden, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(hidden)
        self.conv2 = nn.Conv2d(hidden, hidden, 3, padding=dilation, dilation=dilation, bias=False)
        self.bn3 = nn.BatchNorm2d(hidden)
        self.conv3 = nn.Conv2d(hidden, out_channels, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        if in_channels == out_channels:
            self.shortcut: nn.Module = nn.Identity()
        elif folds:
            self.shortcut = Fold(in_channels // out_channels)
        else:
            self.shortcut = nn.Sequential(
                *build_bn_relu(in_channels), nn.Conv2d(in_channels, out_channels, 1, bias=False)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(self.relu(self.bn1(x)))
        y = self.conv2(self.relu(self.bn2(y)))
        y = self.conv3(self.relu(self.bn3(y)))
        out: Tensor = y + self.shortcut(x)
        return out


class Fold(nn.Module):
    """Sum groups of neighbouring channels: (B, C, H, W) -> (B, C / size, H, W)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        return torch.unflatten(x, 1, (-1, self.size)).sum(dim=2)


def build_blocks(
    in_channels: int, out_channels: int, count: int, dilation: int = 1, folds: bool = False
) -> nn.Sequential:
    """Return `count` blocks, the first of which changes the number of channels."""
    first = Block(in_channels, out_channels, dilation, folds)
    return nn.Sequential(first, *(Block(out_channels, out_channels, dilation) for _ in range(count - 1)))
