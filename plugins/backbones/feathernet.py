"""FeatherNetA and FeatherNetB.

FeatherNets: Convolutional Neural Networks as Light as Feather for Face Anti-spoofing, arXiv 1904.09290.
MobileNetV2's blocks (arXiv 1801.04381) with squeeze and excitation (arXiv 1709.01507) after each stage, and a
streaming module instead of global pooling: a depth-wise strided convolution whose outputs, flattened, are
trained directly as logits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from torch import Tensor, nn

from fas_plugins.backbones.base import StagedBackbone
from fas_plugins.backbones.blocks import (
    InvertedResidual,
    SqueezeExcite,
    build_conv_bn,
    build_relu6,
    scale_channels,
)
from fas_plugins.backbones.options import FeatherNetOptions

STEM = 32
STAGES = ((1, 16, 1), (6, 32, 2), (6, 48, 6), (6, 64, 3))
"""Expansion, channels and blocks of each stage; its first block halves the map."""


def build_layers(in_channels: int, pooled_shortcut: bool, width: float = 1.0) -> Iterator[nn.Module]:
    """Yield the stem, then the blocks of each stage and its squeeze and excitation."""
    channels = scale_channels(STEM, width)
    yield nn.Sequential(*build_conv_bn(in_channels, channels, 3, stride=2), build_relu6())
    for expansion, base, blocks in STAGES:
        out_channels = scale_channels(base, width)
        for block in range(blocks):
            stride = 2 if block == 0 else 1
            shortcut = build_shortcut(channels, out_channels) if block == 0 and pooled_shortcut else None
            yield InvertedResidual(channels, out_channels, stride, expansion, shortcut)
            channels = out_channels
        yield SqueezeExcite(channels)


def build_shortcut(in_channels: int, out_channels: int) -> nn.Module:
    """Return FeatherNetB's shortcut around a halving block: (B, C, H, W) -> (B, out, H / 2, W / 2)."""
    return nn.Sequential(
        nn.AvgPool2d(2), nn.BatchNorm2d(in_channels), nn.Conv2d(in_channels, out_channels, 1, bias=False)
    )


class FeatherNet(StagedBackbone[FeatherNetOptions]):
    """At 224: map (B, 64, 7, 7), embedding (B, 1024), logits (B, 1024) or, of the linear head, (B, 2).

    The input size is a multiple of 32; E is 64 x ceil(input_size / 64)^2. K of the streaming head is E. Of
    another width than 1 the 64 are `scale_channels(64, width)`.
    """

    published_modules: ClassVar[Mapping[str, str]] = {"streaming": "final_DW.0"}
    pooled_shortcut: ClassVar[bool]

    reduction = 32

    def build_features(self, options: FeatherNetOptions, in_channels: int, map_side: int) -> None:
        self.head = options.head
        self.num_features = scale_channels(STAGES[-1][1], options.width)
        side = -(-map_side // 2)  # the streaming module halves the map, rounding up
        self.embedding_dim = self.num_features * side * side
        if self.head == "streaming":
            self.num_logits = self.embedding_dim
        self.features = nn.Sequential(*build_layers(in_channels, self.pooled_shortcut, options.width))

    def build_embedding(self, options: FeatherNetOptions) -> None:
        channels = self.num_features
        self.streaming = nn.Conv2d(channels, channels, 3, 2, 1, groups=channels, bias=False)

    def build_head(self, options: FeatherNetOptions, num_classes: int) -> None:
        if self.head == "linear":
            self.classifier = nn.Linear(self.embedding_dim, num_classes)

    def list_blocks(self) -> list[nn.Module]:
        """Return the stem, 32 channels at H / 2, and the 12 blocks; a stage's last has its attention."""
        blocks: list[list[nn.Module]] = []
        for layer in self.features:
            if isinstance(layer, SqueezeExcite):
                blocks[-1].append(layer)
            else:
                blocks.append([layer])
        return [nn.Sequential(*layers) for layers in blocks]

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, C, H / 32, W / 32); C is 64 at width 1."""
        features: Tensor = self.features(x)
        return features

    def forward_embedding(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, E): the streaming module's output, flattened."""
        streamed: Tensor = self.streaming(x)
        return streamed.flatten(1)

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, E) -> (B, K)."""
        return self.classifier(x) if self.head == "linear" else x


class FeatherNetA(FeatherNet):
    """Halving blocks have no shortcut. 345,332 parameters at width 1."""

    pooled_shortcut = False


class FeatherNetB(FeatherNet):
    """Halving blocks have an average-pooled shortcut. 351,220 parameters at width 1."""

    pooled_shortcut = True
