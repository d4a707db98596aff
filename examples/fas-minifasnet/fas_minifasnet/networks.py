"""MiniFASNetV2 and MiniFASNetV1SE: pruned variants of MobileFaceNet (arXiv 1804.07573).

Inverted residual blocks whose widths came from pruning, PReLU, a global depth-wise convolution instead of
pooling, and an embedding of 128 numbers. Published in Silent-Face-Anti-Spoofing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import Tensor, nn

from fas_minifasnet.options import MiniFasNetV1SEOptions, MiniFasNetV2Options

EMBEDDING = 128
WIDE = 512
STAGES = ("maps", "embeddings", "logits")
GROUP = re.compile(r"(conv_[345])\.(\d)")
"""A block of residuals and its number; published names have `model` between them."""


class ConvUnit(nn.Module):
    """A convolution without bias, batch norm and, unless `linear`, PReLU."""

    def __init__(
        self,
        channels: tuple[int, int],
        kernel: int = 1,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(*channels, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(channels[1])
        self.prelu = nn.Identity() if linear else nn.PReLU(channels[1])

    def forward(self, x: Tensor) -> Tensor:
        activated: Tensor = self.prelu(self.bn(self.conv(x)))
        return activated


class SqueezeExcite(nn.Module):
    """Channel weights from the map's mean, with batch norm after both layers (arXiv 1709.01507)."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels // reduction)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.bn1(self.fc1(x.mean(dim=(2, 3), keepdim=True))).relu()
        weighted: Tensor = x * self.bn2(self.fc2(hidden)).sigmoid()
        return weighted


class Bottleneck(nn.Module):
    """Expand to `width` channels, filter each, project; with stride 1 a residual, else the map is halved."""

    def __init__(self, channels: tuple[int, int], width: int, stride: int = 1, excite: bool = False) -> None:
        super().__init__()
        self.is_residual = stride == 1
        self.conv = ConvUnit((channels[0], width))
        self.conv_dw = ConvUnit((width, width), 3, stride, 1, groups=width)
        self.project = ConvUnit((width, channels[1]), linear=True)
        self.se_module = SqueezeExcite(channels[1]) if excite else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.se_module(self.project(self.conv_dw(self.conv(x))))
        return x + y if self.is_residual else y


class MiniFasNet(nn.Module):
    """At 80: map (B, 512, 5, 5), embedding (B, 128), logits (B, num_classes), of which 1 is live.

    The global convolution covers the map: the input size is fixed when it is built.
    """

    widths: ClassVar[tuple[Sequence[int], Sequence[int], Sequence[int]]]
    excite: ClassVar[bool]

    num_features = WIDE
    embedding_dim = EMBEDDING
    reduction = 16

    def __init__(
        self,
        options: MiniFasNetV2Options | MiniFasNetV1SEOptions,
        in_channels: int = 3,
        input_size: int = 80,
        until: Literal["maps", "embeddings", "logits"] = "logits",
        num_classes: int = 2,
    ) -> None:
        super().__init__()
        self.num_logits = num_classes
        first, second, third = self.widths
        self.conv1 = ConvUnit((in_channels, 32), 3, 2, 1)
        self.conv2_dw = ConvUnit((32, 32), 3, 1, 1, groups=32)
        self.conv_23 = Bottleneck((32, 64), 103, stride=2)
        self.conv_3 = self._build_group(64, first)
        self.conv_34 = Bottleneck((64, 128), 231, stride=2)
        self.conv_4 = self._build_group(128, second)
        self.conv_45 = Bottleneck((128, 128), 308, stride=2)
        self.conv_5 = self._build_group(128, third)
        self.conv_6_sep = ConvUnit((128, WIDE))
        if STAGES.index(until) >= 1:
            side = -(-input_size // self.reduction)
            self.conv_6_dw = ConvUnit((WIDE, WIDE), side, groups=WIDE, linear=True)
            self.linear = nn.Linear(WIDE, EMBEDDING, bias=False)
            self.bn = nn.BatchNorm1d(EMBEDDING)
        if STAGES.index(until) >= 2:
            self.dropout = nn.Dropout(options.dropout)
            self.prob = nn.Linear(EMBEDDING, num_classes, bias=False)

    def _build_group(self, channels: int, widths: Sequence[int]) -> nn.Sequential:
        """Return residuals, the last of which has squeeze and excitation in V1SE."""
        last = len(widths) - 1
        return nn.Sequential(
            *(
                Bottleneck((channels, channels), width, excite=self.excite and index == last)
                for index, width in enumerate(widths)
            )
        )

    def published_name(self, name: str) -> str:
        """Return the name of a state dict's entry in the published files."""
        return GROUP.sub(r"\1.model.\2", name)

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, 512, H / 16, W / 16)."""
        x = self.conv_3(self.conv_23(self.conv2_dw(self.conv1(x))))
        x = self.conv_5(self.conv_45(self.conv_4(self.conv_34(x))))
        features: Tensor = self.conv_6_sep(x)
        return features

    def forward_embedding(self, x: Tensor) -> Tensor:
        """(B, 512, h, w) -> (B, 128)."""
        embedding: Tensor = self.bn(self.linear(self.conv_6_dw(x).flatten(1)))
        return embedding

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, 128) -> (B, num_classes)."""
        logits: Tensor = self.prob(self.dropout(x))
        return logits


class MiniFasNetV2(MiniFasNet):
    """434,560 parameters with three classes, at 80."""

    widths = ((13, 13, 13, 13), (231, 52, 26, 77, 26, 26), (26, 26))
    excite = False


class MiniFasNetV1SE(MiniFasNet):
    """433,586 parameters with three classes, at 80."""

    widths = ((13, 26, 13, 52), (154, 52, 26, 52, 26, 26), (26, 26))
    excite = True
