"""The MobileLiteNets' depths and sizes. Parity of the 54s is in tests/parity."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fas_core import ConfigError
from fas_plugins.backbones import mobilelitenet
from fas_plugins.backbones.blocks import SqueezeExcite
from fas_plugins.backbones.mobilelitenet import MobileLiteNet, MobileLiteNet54
from fas_plugins.backbones.options import MobileLiteNetOptions

DEFAULT = MobileLiteNetOptions()


@pytest.mark.parametrize("name", ["54", "54SE", "102", "105SE", "153", "156SE"])
def test_names_count_the_weighted_layers(name: str) -> None:
    network: MobileLiteNet = getattr(mobilelitenet, f"MobileLiteNet{name}")(DEFAULT)
    blocks = sum(isinstance(module, mobilelitenet.Block) for module in network.modules())
    # Three convolutions a block; stem and classifier make up the rest, which the names round differently.
    assert 3 * blocks + 3 == int(name.removesuffix("SE"))
    attention = sum(isinstance(module, SqueezeExcite) for module in network.modules())
    assert attention == (4 if name.endswith("SE") else 0)


@pytest.mark.parametrize(("size", "embedding"), [(128, 64), (160, 256), (224, 1024)])
def test_the_embedding_follows_from_the_input_size(size: int, embedding: int) -> None:
    network = MobileLiteNet54(DEFAULT, input_size=size).eval()
    assert network.embedding_dim == embedding
    assert network(torch.zeros(1, 3, size, size)).shape == (1, 2)


def test_the_middle_convolution_is_not_depth_wise() -> None:
    middle = MobileLiteNet54(DEFAULT).stages[0][0].conv2
    assert isinstance(middle, nn.Conv2d)
    assert (middle.groups, middle.in_channels) == (16, 96)


@pytest.mark.parametrize(("size", "advice"), [(96, "too small: use 128"), (130, "use 128 or 160")])
def test_impossible_sizes_are_refused(size: int, advice: str) -> None:
    with pytest.raises(ConfigError, match=advice):
        MobileLiteNet54(DEFAULT, input_size=size)
