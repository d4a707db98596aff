"""FishNet: A Versatile Backbone for Image, Region, and Pixel Level Prediction, arXiv 1901.03495.

A tail that goes down to 1/32 of the input, a body that comes back up to 1/4, and a head that goes down again.
Body and head each concatenate what they make with the features of the same size from before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from attrs import frozen
from torch import Tensor, nn

from fas_core import NoOptions
from fas_core.descriptors import Stage
from fas_plugins.backbones.base import Staged, check_input_size
from fas_plugins.backbones.blocks import conv_bn, initialise
from fas_plugins.backbones.preactivation import blocks, bn_relu

STEM, TAIL, BODY = 64, (128, 256, 512), (512, 384, 256)
"""Channels of what the stem, each stage of the tail and each trunk of the body make."""

BRANCHES = (TAIL[1], TAIL[0], STEM)
"""Channels of what each stage of the body takes from before."""

BODY_INPUTS = (TAIL[2], BODY[0] + BRANCHES[0], BODY[1] + BRANCHES[1])
HEAD_INPUT = BODY[2] + BRANCHES[2]


@frozen
class Depths:
    """Residual blocks of each stage.

    Args:
        tail, bridge, body, head: of the trunk.
        body_branch, head_branch: of what body and head take from before.
    """

    tail: tuple[int, int, int]
    bridge: int
    body: tuple[int, int, int]
    head: tuple[int, int, int]
    body_branch: tuple[int, int, int]
    head_branch: tuple[int, int, int]


class Bridge(nn.Module):
    """From tail to body, at 1/32: blocks under a channel attention, (B, 512, h, w) -> (B, 512, h, w)."""

    def __init__(self, channels: int, count: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.squeeze = nn.Sequential(
            *bn_relu(channels), nn.Conv2d(channels, channels // 2, 1, bias=False), *bn_relu(channels // 2)
        )
        self.widen = nn.Conv2d(channels // 2, wide, 1)
        self.blocks = blocks(wide, channels, count)
        self.attention = nn.Sequential(
            *bn_relu(wide),
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
    """A stage of body or head: its trunk resized, beside a branch of the features that had that size before.

    Args:
        trunk: (B, C, H, W) -> (B, out, H, W).
        resize: doubles or halves the map.
        branch: (B, C', H', W') -> the same shape.
    """

    def __init__(self, trunk: nn.Module, resize: nn.Module, branch: nn.Module) -> None:
        super().__init__()
        self.trunk, self.resize, self.branch = trunk, resize, branch

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        return torch.cat([self.resize(self.trunk(x)), self.branch(before)], dim=1)


def stem(in_channels: int) -> nn.Sequential:
    """Three convolutions and a pooling: (B, in_channels, H, W) -> (B, 64, H / 4, W / 4)."""
    half = STEM // 2
    return nn.Sequential(
        nn.Sequential(*conv_bn(in_channels, half, 3, stride=2), nn.ReLU(inplace=True)),
        nn.Sequential(*conv_bn(half, half, 3), nn.ReLU(inplace=True)),
        nn.Sequential(*conv_bn(half, STEM, 3), nn.ReLU(inplace=True)),
        nn.MaxPool2d(3, stride=2, padding=1),
    )


def body(depths: Depths) -> Iterator[Refine]:
    """From 1/32 to 1/4, doubling, with dilations 1, 2 and 4."""
    for stage, (channels, before) in enumerate(zip(BODY_INPUTS, BRANCHES, strict=True)):
        trunk = blocks(channels, BODY[stage], depths.body[stage], dilation=2**stage, folds=True)
        yield Refine(trunk, nn.Upsample(scale_factor=2), blocks(before, before, depths.body_branch[stage]))


def head(depths: Depths) -> Iterator[Refine]:
    """From 1/4 to 1/32, halving; takes what the body's stages got, last first."""
    channels = HEAD_INPUT
    for stage, before in enumerate(reversed(BODY_INPUTS)):
        trunk = blocks(channels, channels, depths.head[stage])
        yield Refine(trunk, nn.MaxPool2d(2), blocks(before, before, depths.head_branch[stage]))
        channels += before


class FishNet(Staged):
    """At 224: map (B, 1056, 7, 7), embedding (B, 1056), its mean over places, logits (B, num_classes).

    Args:
        options: none.
        in_channels: of the input.
        input_size: side of the input, a multiple of 32 pixels.
        until: the last stage that is built.
        num_classes: K.

    Raises:
        ConfigError: `input_size` is not a multiple of 32.
    """

    depths: ClassVar[Depths]

    renames: Mapping[str, str] = {
        **{f"stem.{place}": f"conv{place + 1}" for place in range(3)},
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

    def __init__(
        self,
        options: NoOptions,
        in_channels: int = 3,
        input_size: int = 224,
        until: Stage = "logits",
        num_classes: int = 2,
    ) -> None:
        super().__init__(until)
        check_input_size(type(self).__name__, input_size, multiple=self.reduction)
        depths = self.depths
        self.stem = stem(in_channels)
        self.tail = nn.ModuleList(
            blocks(channels, out_channels, count)
            for channels, out_channels, count in zip((STEM, *TAIL), TAIL, depths.tail, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.bridge = Bridge(TAIL[-1], depths.bridge)
        self.body = nn.ModuleList(body(depths))
        self.head = nn.ModuleList(head(depths))
        channels = HEAD_INPUT + sum(BODY_INPUTS)
        self.num_features = self.embedding_dim = channels // 2
        self.num_logits = num_classes
        self.last = nn.Sequential(
            *bn_relu(channels),
            nn.Conv2d(channels, self.num_features, 1, bias=False),
            *bn_relu(self.num_features),
        )
        if until == "logits":
            self.classifier = nn.Conv2d(self.num_features, num_classes, 1)
        initialise(self)

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

    def forward_embedding(self, x: Tensor) -> Tensor:
        """(B, 1056, h, w) -> (B, 1056)."""
        return x.mean(dim=(2, 3))

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
