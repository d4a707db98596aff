"""MobileLiteNets: larger networks from the FeatherNets' repository (arXiv 1904.09290).

MobileNetV2's inverted residuals (arXiv 1801.04381) in ResNet's four stages, with two differences: the middle
convolution has a group per *input* channel of the block, so it is not depth-wise, and every block has a
shortcut. The `_se` variants add squeeze and excitation (arXiv 1709.01507) after each stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, cast

from torch import Tensor, nn

from fas_plugins.backbones.base import StagedBackbone
from fas_plugins.backbones.blocks import SqueezeExcite, build_conv_bn, build_relu6
from fas_plugins.backbones.options import MobileLiteNetOptions

STEM = 32
CHANNELS = (16, 32, 48, 64)
EXPANSION = 6
WINDOW = 4
"""Side of the kernel of the last convolution, which is not padded."""


class Block(nn.Module):
    """(B, C, H, W) -> (B, out, H / stride, W / stride)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        hidden = in_channels * EXPANSION
        self.conv1, self.bn1 = build_conv_bn(in_channels, hidden)
        self.conv2, self.bn2 = build_conv_bn(hidden, hidden, 3, stride, groups=in_channels)
        self.conv3, self.bn3 = build_conv_bn(hidden, out_channels)
        self.relu = build_relu6()
        self.downsample = nn.Identity() if stride == 1 else build_shortcut(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        out: Tensor = y + self.downsample(x)
        return out


def build_shortcut(in_channels: int, out_channels: int) -> nn.Module:
    """Return the shortcut of a stage's first block: (B, C, H, W) -> (B, out, H / 2, W / 2)."""
    return nn.Sequential(
        *build_conv_bn(in_channels, in_channels, 3, stride=2, groups=in_channels),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
    )


def build_stages(blocks: tuple[int, ...]) -> Iterator[nn.Module]:
    """Yield the four stages; the first block of each halves the map."""
    channels = CHANNELS[0]
    for out_channels, count in zip(CHANNELS, blocks, strict=True):
        first = Block(channels, out_channels, stride=2)
        yield nn.Sequential(first, *(Block(out_channels, out_channels, stride=1) for _ in range(count - 1)))
        channels = out_channels


class MobileLiteNet(StagedBackbone[MobileLiteNetOptions]):
    """At 224: map (B, 64, 7, 7), embedding (B, 1024), logits (B, num_classes).

    The input size is a multiple of 32 from 128; E is 64 x (input_size / 32 - 3)^2.
    """

    blocks: ClassVar[tuple[int, ...]]
    attention: ClassVar[bool] = False

    published_modules: ClassVar[Mapping[str, str]] = {
        "stem.0": "conv1",
        "stem.1": "bn1",
        "stem.3": "conv2",
        "stem.4": "bn2",
        **{f"stages.{stage}": f"layer{stage + 1}" for stage in range(4)},
        **{f"weighing.{stage}": f"layer{stage + 1}_se{stage + 1}" for stage in range(4)},
        "window": "final_DW",
        "classifier": "linear",
    }

    num_features = CHANNELS[-1]
    reduction = 32
    smallest_map = WINDOW

    def build_features(self, options: MobileLiteNetOptions, in_channels: int, map_side: int) -> None:
        side = map_side - WINDOW + 1
        self.embedding_dim = self.num_features * side * side
        self.stem = nn.Sequential(
            *build_conv_bn(in_channels, STEM, 3, stride=2),
            build_relu6(),
            *build_conv_bn(STEM, CHANNELS[0]),
            build_relu6(),
        )
        self.stages = nn.ModuleList(build_stages(self.blocks))
        self.weighing = nn.ModuleList(
            SqueezeExcite(channels) if self.attention else nn.Identity() for channels in CHANNELS
        )

    def build_embedding(self, options: MobileLiteNetOptions) -> None:
        channels = self.num_features
        self.window = nn.Conv2d(channels, channels, WINDOW, groups=channels, bias=False)

    def build_head(self, options: MobileLiteNetOptions, num_classes: int) -> None:
        self.dropout = nn.Dropout(options.dropout)
        self.classifier = nn.Linear(self.embedding_dim, num_classes)

    def list_blocks(self) -> list[nn.Module]:
        """Return the stem, 16 channels at H / 2, and the blocks; a stage's last has its attention."""
        blocks: list[nn.Module] = [self.stem]
        for stage, attention in zip(self.stages, self.weighing, strict=True):
            *others, last = cast(nn.Sequential, stage)
            blocks += [*others, nn.Sequential(last, attention)]
        return blocks

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, 64, H / 32, W / 32)."""
        x = self.stem(x)
        for stage, attention in zip(self.stages, self.weighing, strict=True):
            x = attention(stage(x))
        return x

    def forward_embedding(self, x: Tensor) -> Tensor:
        """(B, 64, h, w) -> (B, 64 (h - 3) (w - 3)): each channel filtered separately."""
        filtered: Tensor = self.window(x)
        return filtered.flatten(1)

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, E) -> (B, K)."""
        logits: Tensor = self.classifier(self.dropout(x))
        return logits


class MobileLiteNet54(MobileLiteNet):
    """567,570 parameters."""

    blocks = (4, 4, 6, 3)


class MobileLiteNet54SE(MobileLiteNet54):
    """569,670 parameters."""

    attention = True


class MobileLiteNet102(MobileLiteNet):
    """As deep as ResNet-101."""

    blocks = (3, 4, 23, 3)


class MobileLiteNet105SE(MobileLiteNet):
    """One block more than MobileLiteNet102, and squeeze and excitation."""

    blocks = (4, 4, 23, 3)
    attention = True


class MobileLiteNet153(MobileLiteNet):
    """As deep as ResNet-152."""

    blocks = (3, 8, 36, 3)


class MobileLiteNet156SE(MobileLiteNet):
    """One block more than MobileLiteNet153, and squeeze and excitation."""

    blocks = (4, 8, 36, 3)
    attention = True
