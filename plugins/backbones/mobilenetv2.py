"""MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv 1801.04381.

The layout is that of the common PyTorch port (tonylins/pytorch-mobilenet-v2), which has ImageNet weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from torch import Tensor, nn

from fas_plugins.backbones.base import StagedBackbone
from fas_plugins.backbones.blocks import InvertedResidual, build_conv_bn, build_relu6
from fas_plugins.backbones.options import MobileNetV2Options

STEM, LAST = 32, 1280
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, blocks and the first block's stride of each stage."""


def build_layers(in_channels: int, width: float, last: int) -> Iterator[nn.Module]:
    """Yield the stem, the blocks, and the 1 x 1 convolution to `last` channels."""
    channels = int(STEM * width)
    yield nn.Sequential(*build_conv_bn(in_channels, channels, 3, stride=2), build_relu6())
    for expansion, base, blocks, stride in STAGES:
        for block in range(blocks):
            out_channels = int(base * width)
            yield InvertedResidual(channels, out_channels, stride if block == 0 else 1, expansion)
            channels = out_channels
    yield nn.Sequential(*build_conv_bn(channels, last), build_relu6())


class MobileNetV2(StagedBackbone[MobileNetV2Options]):
    """At 224: map (B, 1280, 7, 7), embedding (B, 1280), its mean over positions, logits (B, num_classes).

    The input size is a multiple of 32. 2,226,434 parameters with two classes at width 1.
    """

    published_modules: ClassVar[Mapping[str, str]] = {"classifier": "classifier.1"}

    reduction = 32

    def build_features(self, options: MobileNetV2Options, in_channels: int, map_side: int) -> None:
        self.num_features = self.embedding_dim = int(LAST * max(1.0, options.width))
        self.features = nn.Sequential(*build_layers(in_channels, options.width, self.num_features))

    def build_head(self, options: MobileNetV2Options, num_classes: int) -> None:
        self.dropout = nn.Dropout(options.dropout)
        self.classifier = nn.Linear(self.embedding_dim, num_classes)

    def list_blocks(self) -> list[nn.Module]:
        """Return the stem, 32 channels at H / 2, the 17 blocks and the last convolution."""
        return list(self.features)

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, C, H / 32, W / 32)."""
        features: Tensor = self.features(x)
        return features

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, E) -> (B, K)."""
        logits: Tensor = self.classifier(self.dropout(x))
        return logits
