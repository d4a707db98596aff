"""FishNet's own blocks. Parity of the whole networks is in tests/parity."""

from __future__ import annotations

import pytest
import torch

from fas_core import ConfigError, NoOptions
from fas_plugins.backbones.fishnet import FishNet99
from fas_plugins.backbones.preactivation import Block, Fold


def test_folding_adds_up_neighbouring_channels() -> None:
    x = torch.arange(6.0).view(1, 6, 1, 1)
    assert Fold(2)(x).flatten().tolist() == [0 + 1, 2 + 3, 4 + 5]


def test_a_block_whose_last_convolution_is_zero_is_its_shortcut() -> None:
    x = torch.randn(2, 8, 5, 5)
    for block, shortcut in ((Block(8, 8), x), (Block(8, 4, dilation=2, folds=True), Fold(2)(x))):
        block.conv3.weight.data.zero_()
        torch.testing.assert_close(block(x), shortcut)


def test_sizes_and_count() -> None:
    network = FishNet99(NoOptions(), input_size=64)
    assert sum(parameter.numel() for parameter in network.parameters()) == 15_574_018
    assert (network.num_features, network.embedding_dim, network.num_logits) == (1056, 1056, 2)


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(ConfigError, match="FishNet99: input size 112 is not a multiple of 32: use 96 or 128"):
        FishNet99(NoOptions(), input_size=112)
