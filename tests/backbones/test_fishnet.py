"""FishNet's sizes. Parity is in tests/parity."""

from __future__ import annotations

import pytest

from fas_core import ConfigError, NoOptions
from fas_plugins.backbones.fishnet import FishNet99


def test_sizes_and_count() -> None:
    network = FishNet99(NoOptions(), input_size=64)
    assert sum(parameter.numel() for parameter in network.parameters()) == 15_574_018
    assert (network.num_features, network.embedding_dim, network.num_logits) == (1056, 1056, 2)


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(ConfigError, match="FishNet99: input size 112 is not a multiple of 32: use 96 or 128"):
        FishNet99(NoOptions(), input_size=112)
