"""MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv 1801.04381.

In the layout of the common PyTorch port (tonylins/pytorch-mobilenet-v2), whose ImageNet weights are around.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from fas_core.descriptors import Stage
from fas_plugins.backbones.base import Staged, check_input_size
from fas_plugins.backbones.blocks import InvertedResidual, conv_bn, initialise, relu6
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


def layers(in_channels: int, width: float, last: int) -> Iterator[nn.Module]:
    """The stem, the blocks, and the 1 x 1 convolution to `last` channels."""
    channels = int(STEM * width)
    yield nn.Sequential(*conv_bn(in_channels, channels, 3, stride=2), relu6())
    for expansion, base, blocks, stride in STAGES:
        for block in range(blocks):
            out_channels = int(base * width)
            yield InvertedResidual(channels, out_channels, stride if block == 0 else 1, expansion)
            channels = out_channels
    yield nn.Sequential(*conv_bn(channels, last), relu6())


class MobileNetV2(Staged):
    """At 224: map (B, 1280, 7, 7), embedding (B, 1280), its mean over places, logits (B, num_classes).

    2,226,434 parameters with two classes at width 1.

    Args:
        options: width and dropout.
        in_channels: of the input.
        input_size: side of the input, a multiple of 32 pixels.
        until: the last stage that is built.
        num_classes: K.

    Raises:
        ConfigError: `input_size` is not a multiple of 32.
    """

    renames: Mapping[str, str] = {"classifier": "classifier.1"}

    reduction = 32

    def __init__(
        self,
        options: MobileNetV2Options,
        in_channels: int = 3,
        input_size: int = 224,
        until: Stage = "logits",
        num_classes: int = 2,
    ) -> None:
        super().__init__(until)
        check_input_size("MobileNetV2", input_size, multiple=self.reduction)
        self.num_features = self.embedding_dim = int(LAST * max(1.0, options.width))
        self.num_logits = num_classes

        self.features = nn.Sequential(*layers(in_channels, options.width, self.num_features))
        if until == "logits":
            self.dropout = nn.Dropout(options.dropout)
            self.classifier = nn.Linear(self.embedding_dim, num_classes)
        initialise(self)

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, C, H / 32, W / 32)."""
        features: Tensor = self.features(x)
        return features

    def forward_embedding(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C)."""
        return x.mean(dim=(2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, C) -> (B, K)."""
        logits: Tensor = self.classifier(self.dropout(x))
        return logits
