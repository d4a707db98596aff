"""CDCN and CDCN++, which predict a depth map.

Searching Central Difference Convolutional Networks for Face Anti-Spoofing, arXiv 2003.04092. The spatial
attention of CDCN++ is CBAM's, arXiv 1807.06521.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fas_plugins.backbones.base import StagedBackbone
from fas_plugins.backbones.central_difference import CentralDifferenceConv2d, build_difference_layers
from fas_plugins.backbones.options import CDCNOptions

STEM, LEVEL = 64, 128
"""Output channels of the stem and of each level."""


class SpatialAttention(nn.Module):
    """Scale each position by a gate from its channels' mean and maximum: (B, C, H, W) -> the same shape."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        summary = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        weights: Tensor = torch.sigmoid(self.conv(summary))  # (B, 1, H, W)
        return x * weights


class CDCN(StagedBackbone[CDCNOptions]):
    """At 256: features (B, 384, 32, 32), embedding (B, 1024), which is the predicted map; no classifier.

    The map is (B, h, w), h = H / 8, not negative and not bounded above; its mean is the score and the only
    column of `forward_head`'s (B, 1), whatever `num_classes`. The input size is a multiple of 8.
    2,245,016 parameters.

    Attributes:
        map_size: (h, w) of the predicted map.
    """

    channels: ClassVar[tuple[tuple[int, ...], ...]] = ((128, 196, LEVEL),) * 3
    attention_kernels: ClassVar[tuple[int, ...]] = ()

    published_modules: ClassVar[Mapping[str, str]] = {
        "stem": "conv1",
        **{f"levels.{level}": f"Block{level + 1}" for level in range(3)},
        **{f"attention.{level}.conv": f"sa{level + 1}.conv1" for level in range(3)},
        **{f"predict.{index}": f"lastconv{index + 1}" for index in range(3)},
    }

    num_features = 3 * LEVEL
    reduction = 8
    published_size = 256

    def build_features(self, options: CDCNOptions, in_channels: int, map_side: int) -> None:
        self.map_size = (map_side, map_side)
        self.embedding_dim = map_side * map_side
        self.num_logits = 1
        self.stem = nn.Sequential(*build_difference_layers((in_channels, STEM), options.theta))
        self.levels = nn.ModuleList(
            nn.Sequential(
                *build_difference_layers((in_channels, *widths), options.theta),
                nn.MaxPool2d(3, stride=2, padding=1),
            )
            for in_channels, widths in zip((STEM, LEVEL, LEVEL), self.channels, strict=True)
        )
        self.attention = nn.ModuleList(map(SpatialAttention, self.attention_kernels))

    def build_embedding(self, options: CDCNOptions) -> None:
        self.predict = self.build_predictor(options.theta)

    def initialize_weights(self) -> None:
        """Keep PyTorch's initial weights, as published."""

    @staticmethod
    def build_predictor(theta: float) -> nn.Sequential:
        """Return the layers from the features to the map: (B, 384, h, w) -> (B, 1, h, w)."""
        return nn.Sequential(
            nn.Sequential(*build_difference_layers((CDCN.num_features, 128), theta)),
            nn.Sequential(*build_difference_layers((128, 64), theta)),
            nn.Sequential(CentralDifferenceConv2d(64, 1, theta), nn.ReLU(inplace=True)),
        )

    def list_blocks(self) -> list[nn.Module]:
        """Return the stem, 64 channels at H, and the three levels without their attention."""
        return [self.stem, *self.levels]

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, 384, H / 8, W / 8): the three levels, resized to the last."""
        x = self.stem(x)
        levels = []
        for index, level in enumerate(self.levels):
            x = level(x)
            levels.append(self.attention[index](x) if self.attention else x)
        size = levels[-1].shape[-2:]
        return torch.cat([F.interpolate(level, size=size, mode="bilinear") for level in levels], dim=1)

    def forward_embedding(self, x: Tensor) -> Tensor:
        """(B, 384, h, w) -> (B, h w): the predicted map, row by row."""
        predicted: Tensor = self.predict(x)
        return predicted.flatten(1)

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, h w) -> (B, 1): the map's mean."""
        return x.mean(dim=1, keepdim=True)

    def published_name(self, name: str) -> str:
        """Return the published name: there a central difference convolution has a child `conv`."""
        module, _, parameter = name.rpartition(".")
        if isinstance(self.get_submodule(module), CentralDifferenceConv2d):
            name = f"{module}.conv.{parameter}"
        return super().published_name(name)


class CDCNpp(CDCN):
    """CDCN++: searched levels, each followed by spatial attention. 2,257,352 parameters."""

    channels = ((128, 204, LEVEL), (153, 128, 179, LEVEL), (128, 153, LEVEL))
    attention_kernels = (7, 5, 3)

    @staticmethod
    def build_predictor(theta: float) -> nn.Sequential:
        """Return the layers from the features to the map: (B, 384, h, w) -> (B, 1, h, w)."""
        layers = build_difference_layers((CDCN.num_features, 128), theta)
        return nn.Sequential(
            nn.Sequential(*layers, CentralDifferenceConv2d(128, 1, theta), nn.ReLU(inplace=True))
        )
