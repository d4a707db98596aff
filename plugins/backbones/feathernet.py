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

from fas_core.descriptors import Stage
from fas_plugins.backbones.base import Staged, check_input_size
from fas_plugins.backbones.blocks import InvertedResidual, SqueezeExcite, conv_bn, initialise, relu6
from fas_plugins.backbones.options import FeatherNetOptions

STEM = 32
STAGES = ((1, 16, 1), (6, 32, 2), (6, 48, 6), (6, 64, 3))
"""Expansion, channels and blocks of each stage; its first block halves the map."""


def layers(in_channels: int, pooled_shortcut: bool) -> Iterator[nn.Module]:
    """The stem, then the blocks of each stage and its squeeze and excitation."""
    yield nn.Sequential(*conv_bn(in_channels, STEM, 3, stride=2), relu6())
    channels = STEM
    for expansion, out_channels, blocks in STAGES:
        for block in range(blocks):
            halves = block == 0
            shortcut = pooled(channels, out_channels) if halves and pooled_shortcut else None
            yield InvertedResidual(channels, out_channels, 2 if halves else 1, expansion, shortcut)
            channels = out_channels
        yield SqueezeExcite(channels)


def pooled(in_channels: int, out_channels: int) -> nn.Module:
    """FeatherNetB's shortcut around a halving block: (B, C, H, W) -> (B, out, H / 2, W / 2)."""
    return nn.Sequential(
        nn.AvgPool2d(2), nn.BatchNorm2d(in_channels), nn.Conv2d(in_channels, out_channels, 1, bias=False)
    )


class FeatherNet(Staged):
    """At 224: map (B, 64, 7, 7), embedding (B, 1024), logits (B, 1024) or, of the linear head, (B, 2).

    Args:
        options: which head.
        in_channels: of the input.
        input_size: side of the input, a multiple of 32 pixels; E is 64 x ceil(input_size / 64)^2.
        until: the last stage that is built.
        num_classes: K of the linear head; the streaming head's K is E.

    Raises:
        ConfigError: `input_size` is not a multiple of 32.
    """

    renames: Mapping[str, str] = {"streaming": "final_DW.0"}
    pooled_shortcut: ClassVar[bool]

    num_features = STAGES[-1][1]
    reduction = 32

    def __init__(
        self,
        options: FeatherNetOptions,
        in_channels: int = 3,
        input_size: int = 224,
        until: Stage = "logits",
        num_classes: int = 2,
    ) -> None:
        super().__init__(until)
        check_input_size("FeatherNet", input_size, multiple=self.reduction)
        side = -(-input_size // (2 * self.reduction))  # the streaming module halves the map, rounding up
        self.head = options.head
        self.embedding_dim = self.num_features * side * side
        self.num_logits = num_classes if self.head == "linear" else self.embedding_dim

        self.features = nn.Sequential(*layers(in_channels, self.pooled_shortcut))
        if until != "maps":
            self.streaming = nn.Conv2d(
                self.num_features, self.num_features, 3, 2, 1, groups=self.num_features, bias=False
            )
        if until == "logits" and self.head == "linear":
            self.classifier = nn.Linear(self.embedding_dim, num_classes)
        initialise(self)

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, 64, H / 32, W / 32)."""
        features: Tensor = self.features(x)
        return features

    def forward_embedding(self, x: Tensor) -> Tensor:
        """(B, 64, h, w) -> (B, E): what the streaming module makes of each channel and place."""
        streamed: Tensor = self.streaming(x)
        return streamed.flatten(1)

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, E) -> (B, K)."""
        return self.classifier(x) if self.head == "linear" else x


class FeatherNetA(FeatherNet):
    """Halving blocks have no shortcut. 345,332 parameters."""

    pooled_shortcut = False


class FeatherNetB(FeatherNet):
    """Halving blocks have a shortcut that pools by averages. 351,220 parameters."""

    pooled_shortcut = True
