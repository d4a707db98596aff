"""CDCN and CDCN++, which predict a depth map.

Searching Central Difference Convolutional Networks for Face Anti-Spoofing, arXiv 2003.04092. The spatial
attention of CDCN++ is CBAM's, arXiv 1807.06521.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fas_core.descriptors import Stage
from fas_plugins.backbones.base import Staged, check_input_size
from fas_plugins.backbones.central_difference import CentralDifferenceConv2d
from fas_plugins.backbones.options import CDCNOptions

STEM, LEVEL = 64, 128
"""Channels after the stem and after each level."""


def difference_layers(channels: Iterable[int], theta: float) -> list[nn.Module]:
    """Central difference convolutions from each number of channels to the next, each with BN and ReLU."""
    layers: list[nn.Module] = []
    for in_channels, out_channels in pairwise(channels):
        layers += [
            CentralDifferenceConv2d(in_channels, out_channels, theta),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        ]
    return layers


class SpatialAttention(nn.Module):
    """Weigh each place by its channels' mean and maximum: (B, C, H, W) -> the same shape."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        summary = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        weights: Tensor = torch.sigmoid(self.conv(summary))  # (B, 1, H, W)
        return x * weights


class CDCN(Staged):
    """At 256: features (B, 384, 32, 32), embedding (B, 1024), which is the predicted map; no classifier.

    The map is (B, h, w), h = H / 8, not negative and not bounded above; its mean is the score and the only
    column of `forward_head`'s (B, 1). 2,245,016 parameters.

    Args:
        options: theta.
        in_channels: of the input.
        input_size: side of the input, a multiple of 8 pixels; 256 as published.
        until: the last stage that is built.
        num_classes: not used: a map has none.

    Attributes:
        map_size: (h, w) of the predicted map.

    Raises:
        ConfigError: `input_size` is not a multiple of 8.
    """

    channels: ClassVar[tuple[tuple[int, ...], ...]] = ((128, 196, LEVEL),) * 3
    attention_kernels: ClassVar[tuple[int, ...]] = ()

    renames: Mapping[str, str] = {
        "stem": "conv1",
        **{f"levels.{level}": f"Block{level + 1}" for level in range(3)},
        **{f"attention.{level}.conv": f"sa{level + 1}.conv1" for level in range(3)},
        **{f"predict.{part}": f"lastconv{part + 1}" for part in range(3)},
    }

    num_features = 3 * LEVEL
    num_logits = 1
    reduction = 8

    def __init__(
        self,
        options: CDCNOptions,
        in_channels: int = 3,
        input_size: int = 256,
        until: Stage = "logits",
        num_classes: int = 2,
    ) -> None:
        super().__init__(until)
        check_input_size(type(self).__name__, input_size, multiple=self.reduction)
        side = input_size // self.reduction
        self.map_size = (side, side)
        self.embedding_dim = side * side

        self.stem = nn.Sequential(*difference_layers((in_channels, STEM), options.theta))
        self.levels = nn.ModuleList(
            nn.Sequential(
                *difference_layers((before, *inner), options.theta), nn.MaxPool2d(3, stride=2, padding=1)
            )
            for before, inner in zip((STEM, LEVEL, LEVEL), self.channels, strict=True)
        )
        self.attention = nn.ModuleList(map(SpatialAttention, self.attention_kernels))
        if until != "maps":
            self.predict = self.predictor(options.theta)

    @staticmethod
    def predictor(theta: float) -> nn.Sequential:
        """From the features to the map: (B, 384, h, w) -> (B, 1, h, w)."""
        return nn.Sequential(
            nn.Sequential(*difference_layers((CDCN.num_features, 128), theta)),
            nn.Sequential(*difference_layers((128, 64), theta)),
            nn.Sequential(CentralDifferenceConv2d(64, 1, theta), nn.ReLU(inplace=True)),
        )

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, 384, H / 8, W / 8): the three levels at the last one's size."""
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
        """As published, where each central difference convolution holds its kernel in a layer `conv`."""
        module, _, parameter = name.rpartition(".")
        if isinstance(self.get_submodule(module), CentralDifferenceConv2d):
            name = f"{module}.conv.{parameter}"
        return super().published_name(name)


class CDCNpp(CDCN):
    """CDCN++: searched levels, and attention over places before they are joined. 2,257,352 parameters."""

    channels = ((128, 204, LEVEL), (153, 128, 179, LEVEL), (128, 153, LEVEL))
    attention_kernels = (7, 5, 3)

    @staticmethod
    def predictor(theta: float) -> nn.Sequential:
        """From the features to the map: (B, 384, h, w) -> (B, 1, h, w)."""
        layers = difference_layers((CDCN.num_features, 128), theta)
        return nn.Sequential(
            nn.Sequential(*layers, CentralDifferenceConv2d(128, 1, theta), nn.ReLU(inplace=True))
        )
