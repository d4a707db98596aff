"""The base class of backbones and its input size check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from fas_core import ConfigError, NoOptions, Stage
from fas_plugins.backbones.base import StagedBackbone, check_input_size


class Tiny(StagedBackbone[NoOptions]):
    """One convolution, the mean over positions, one linear layer."""

    num_features = embedding_dim = 4
    reduction = 8
    published_size = 16
    published_modules: ClassVar[Mapping[str, str]] = {"head": "fc.1"}

    def build_features(self, options: NoOptions, in_channels: int, map_side: int) -> None:
        self.map_side = map_side
        self.conv = nn.Conv2d(in_channels, 4, 8, stride=8)

    def build_head(self, options: NoOptions, num_classes: int) -> None:
        self.head = nn.Linear(4, num_classes)

    def forward_features(self, x: Tensor) -> Tensor:
        features: Tensor = self.conv(x)
        return features

    def forward_head(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x)
        return logits


@pytest.mark.parametrize(
    ("until", "shape", "modules"),
    [
        ("maps", (2, 4, 2, 2), ["conv"]),
        ("embeddings", (2, 4), ["conv"]),
        ("logits", (2, 5), ["conv", "head"]),
    ],
)
def test_later_stages_are_not_built(until: Stage, shape: tuple[int, ...], modules: list[str]) -> None:
    network = Tiny(NoOptions(), in_channels=1, until=until, num_classes=5)
    assert [name for name, _ in network.named_children()] == modules
    assert network(torch.zeros(2, 1, 16, 16)).shape == shape
    assert network.num_logits == 5


def test_the_published_size_is_the_default() -> None:
    assert Tiny(NoOptions()).map_side == 2
    assert Tiny(NoOptions(), input_size=32).map_side == 4


def test_the_size_is_checked_before_anything_is_built() -> None:
    with pytest.raises(ConfigError, match="Tiny: input size 20 is not a multiple of 8: use 16 or 24"):
        Tiny(NoOptions(), input_size=20)


def test_weights_are_initialized_by_fan_out() -> None:
    torch.manual_seed(0)
    network = Tiny(NoOptions(), in_channels=64, num_classes=1000)
    assert network.conv.weight.std().item() == pytest.approx((2 / (64 * 4)) ** 0.5, rel=0.05)
    assert network.head.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not network.conv.bias.any()
    assert not network.head.bias.any()


def test_published_names_replace_whole_module_names() -> None:
    network = Tiny(NoOptions())
    assert network.published_name("head.weight") == "fc.1.weight"
    assert network.published_name("header.weight") == "header.weight"
    assert network.published_name("conv.weight") == "conv.weight"


@pytest.mark.parametrize("size", [32, 64, 224, 256])
def test_multiples_pass(size: int) -> None:
    check_input_size("net", size, multiple=32)


@pytest.mark.parametrize(
    ("size", "rule"),
    [
        (100, "is not a multiple of 32: use 96 or 128"),
        (225, "is not a multiple of 32: use 224 or 256"),
        (31, "is too small: use 32 or a larger multiple of 32"),
        (0, "is too small: use 32 or a larger multiple of 32"),
        (-32, "is too small: use 32 or a larger multiple of 32"),
    ],
)
def test_the_nearest_possible_sizes_are_named(size: int, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_input_size("net", size, multiple=32)
    assert str(caught.value) == f"net: input size {size} {rule}"


@pytest.mark.parametrize("size", [32, 96, 100, 127])
def test_the_smallest_size_is_enforced(size: int) -> None:
    with pytest.raises(ConfigError, match=f"input size {size} is too small: use 128"):
        check_input_size("net", size, multiple=32, smallest=100)
    check_input_size("net", 128, multiple=32, smallest=100)
