"""FishNet: A Versatile Backbone for Image, Region, and Pixel Level Prediction, arXiv 1901.03495.

A tail downsamples to 1/32 of the input, a body upsamples to 1/4, and a head downsamples to 1/32 again. Body
and head concatenate their outputs with the earlier features of the same size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from attrs import frozen
from torch import Tensor, nn

from fas_core import NoOptions
from fas_plugins.backbones.base import StagedBackbone
from fas_plugins.backbones.blocks import build_conv_bn
from fas_plugins.backbones.preactivation import build_blocks, build_bn_relu

STEM, TAIL, BODY = 64, (128, 256, 512), (512, 384, 256)
"""Output channels of the stem, of each stage of the tail and of each trunk of the body."""

BRANCHES = (TAIL[1], TAIL[0], STEM)
"""Channels of the earlier features that each stage of the body reads."""

BODY_INPUTS = (TAIL[2], BODY[0] + BRANCHES[0], BODY[1] + BRANCHES[1])
HEAD_INPUT = BODY[2] + BRANCHES[2]


@frozen
class Depths:
    """Number of residual blocks in each stage.

    Args:
        tail, bridge, body, head: blocks of the trunks.
        body_branch, head_branch: blocks of the branches over earlier features.
    """

    tail: tuple[int, int, int]
    bridge: int
    body: tuple[int, int, int]
    head: tuple[int, int, int]
    body_branch: tuple[int, int, int]
    head_branch: tuple[int, int, int]


class Bridge(nn.Module):
    """Residual blocks under channel attention, between tail and body: (B, 512, h, w) -> (B, 512, h, w)."""

    def __init__(self, channels: int, count: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.squeeze = nn.Sequential(
            *build_bn_relu(channels),
            nn.Conv2d(channels, channels // 2, 1, bias=False),
            *build_bn_relu(channels // 2),
        )
        self.widen = nn.Conv2d(channels // 2, wide, 1)
        self.blocks = build_blocks(wide, channels, count)
        self.attention = nn.Sequential(
            *build_bn_relu(wide),
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(wide, channels // 16, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels // 16, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.widen(self.squeeze(x))  # (B, 1024, h, w)
        weights = self.attention(x)  # (B, 512, 1, 1)
        out: Tensor = self.blocks(x) * weights + weights
        return out


class Refine(nn.Module):
    """A stage of body or head: its trunk, resized and concatenated with a branch of earlier features.

    Args:
        trunk: (B, C, H, W) -> (B, out, H, W).
        resize: doubles or halves the side of the map.
        branch: (B, C', H', W') -> the same shape.
    """

    def __init__(self, trunk: nn.Module, resize: nn.Module, branch: nn.Module) -> None:
        super().__init__()
        self.trunk, self.resize, self.branch = trunk, resize, branch

    def forward(self, x: Tensor, earlier: Tensor) -> Tensor:
        return torch.cat([self.resize(self.trunk(x)), self.branch(earlier)], dim=1)


def build_stem(in_channels: int) -> nn.Sequential:
    """Return three convolutions and max pooling: (B, in_channels, H, W) -> (B, 64, H / 4, W / 4)."""
    half = STEM // 2
    return nn.Sequential(
        nn.Sequential(*build_conv_bn(in_channels, half, 3, stride=2), nn.ReLU(inplace=True)),
        nn.Sequential(*build_conv_bn(half, half, 3), nn.ReLU(inplace=True)),
        nn.Sequential(*build_conv_bn(half, STEM, 3), nn.ReLU(inplace=True)),
        nn.MaxPool2d(3, stride=2, padding=1),
    )


def build_body(depths: Depths) -> Iterator[Refine]:
    """Yield the stages from 1/32 to 1/4, each doubling the side, with dilations 1, 2 and 4."""
    for stage, (channels, branch_channels) in enumerate(zip(BODY_INPUTS, BRANCHES, strict=True)):
        trunk = build_blocks(channels, BODY[stage], depths.body[stage], dilation=2**stage, folds=True)
        yield Refine(
            trunk,
            nn.Upsample(scale_factor=2),
            build_blocks(branch_channels, branch_channels, depths.body_branch[stage]),
        )


def build_head(depths: Depths) -> Iterator[Refine]:
    """Yield the stages from 1/4 to 1/32, each halving the side; they read the body's inputs, last first."""
    channels = HEAD_INPUT
    for stage, branch_channels in enumerate(reversed(BODY_INPUTS)):
        trunk = build_blocks(channels, channels, depths.head[stage])
        yield Refine(
            trunk, nn.MaxPool2d(2), build_blocks(branch_channels, branch_channels, depths.head_branch[stage])
        )
        channels += branch_channels


class FishNet(StagedBackbone[NoOptions]):
    """At 224: map (B, 1056, 7, 7), embedding (B, 1056), its mean over positions, logits (B, num_classes).

    The input size is a multiple of 32.
    """

    depths: ClassVar[Depths]

    published_modules: ClassVar[Mapping[str, str]] = {
        **{f"stem.{index}": f"conv{index + 1}" for index in range(3)},
        **{f"tail.{stage}": f"fish.fish.{stage}.0" for stage in range(3)},
        "bridge.squeeze": "fish.fish.3.0",
        "bridge.widen": "fish.fish.3.1",
        "bridge.blocks": "fish.fish.3.2",
        "bridge.attention": "fish.fish.3.3.0",
        **{f"body.{stage}.trunk": f"fish.fish.{4 + stage}.0" for stage in range(3)},
        **{f"body.{stage}.branch": f"fish.fish.{4 + stage}.1" for stage in range(3)},
        **{f"head.{stage}.trunk": f"fish.fish.{7 + stage}.0" for stage in range(3)},
        **{f"head.{stage}.branch": f"fish.fish.{7 + stage}.1" for stage in range(3)},
        "last": "fish.fish.9.3",
        "classifier": "fish.fish.9.4.1",
    }

    reduction = 32

    def build_features(self, options: NoOptions, in_channels: int, map_side: int) -> None:
        depths = self.depths
        self.stem = build_stem(in_channels)
        self.tail = nn.ModuleList(
            build_blocks(channels, out_channels, count)
            for channels, out_channels, count in zip((STEM, *TAIL), TAIL, depths.tail, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.bridge = Bridge(TAIL[-1], depths.bridge)
        self.body = nn.ModuleList(build_body(depths))
        self.head = nn.ModuleList(build_head(depths))
        channels = HEAD_INPUT + sum(BODY_INPUTS)
        self.num_features = self.embedding_dim = channels // 2
        self.last = nn.Sequential(
            *build_bn_relu(channels),
            nn.Conv2d(channels, self.num_features, 1, bias=False),
            *build_bn_relu(self.num_features),
        )

    def build_head(self, options: NoOptions, num_classes: int) -> None:
        self.classifier = nn.Conv2d(self.num_features, num_classes, 1)

    def list_blocks(self) -> list[nn.Module]:
        """Return the stem, 64 channels at H / 4, and the three stages of the tail."""
        return [self.stem, *(nn.Sequential(stage, self.pool) for stage in self.tail)]

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, 1056, H / 32, W / 32)."""
        down = [self.stem(x)]  # at 1/4, 1/8, 1/16, 1/32
        for stage in self.tail:
            down.append(self.pool(stage(down[-1])))
        x = self.bridge(down.pop())
        up = []  # at 1/32, 1/16, 1/8
        for stage in self.body:
            up.append(x)
            x = stage(x, down.pop())
        for stage in self.head:
            x = stage(x, up.pop())
        features: Tensor = self.last(x)
        return features

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, 1056) -> (B, K)."""
        logits: Tensor = self.classifier(x[:, :, None, None])
        return logits.flatten(1)


class FishNet99(FishNet):
    """15,574,018 parameters with two classes."""

    depths = Depths(
        tail=(2, 2, 6), bridge=2, body=(1, 1, 1), head=(1, 2, 2), body_branch=(1, 1, 1), head_branch=(1, 1, 4)
    )


class FishNet150(FishNet):
    """23,904,514 parameters with two classes."""

    depths = Depths(
        tail=(2, 4, 8), bridge=4, body=(2, 2, 2), head=(2, 2, 4), body_branch=(2, 2, 2), head_branch=(2, 2, 4)
    )


class FishNet201(FishNet):
    """43,529,666 parameters with two classes."""

    depths = Depths(
        tail=(3, 4, 12),
        bridge=4,
        body=(2, 2, 2),
        head=(2, 3, 10),
        body_branch=(2, 2, 2),
        head_branch=(2, 2, 9),
    )
