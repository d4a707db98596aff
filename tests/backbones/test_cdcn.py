"""CDCN and CDCN++: the map they predict. Parity is in tests/parity."""

from __future__ import annotations

import pytest
import torch

from fas_core import ConfigError
from fas_plugins.backbones.cdcn import CDCN, CDCNpp
from fas_plugins.backbones.central_difference import CentralDifferenceConv2d
from fas_plugins.backbones.options import CDCNOptions

BOTH = pytest.mark.parametrize("network", [CDCN, CDCNpp])


@BOTH
@torch.inference_mode()
def test_the_embedding_is_the_map_and_the_head_its_mean(network: type[CDCN]) -> None:
    built = network(CDCNOptions(), input_size=48).eval()
    features = built.forward_features(torch.randn(2, 3, 48, 48))
    assert features.shape == (2, 384, 6, 6)
    assert built.map_size == (6, 6)
    predicted = built.forward_embedding(features).unflatten(1, built.map_size)
    assert (predicted >= 0).all()
    torch.testing.assert_close(built.forward_head(predicted.flatten(1))[:, 0], predicted.mean(dim=(1, 2)))


@BOTH
def test_the_map_is_32_by_32_at_the_published_size(network: type[CDCN]) -> None:
    assert network(CDCNOptions()).map_size == (32, 32)


@BOTH
def test_theta_reaches_every_convolution(network: type[CDCN]) -> None:
    modules = network(CDCNOptions(theta=0.25), input_size=64).modules()
    thetas = [module.theta for module in modules if isinstance(module, CentralDifferenceConv2d)]
    assert thetas
    assert set(thetas) == {0.25}


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(ConfigError, match="CDCNpp: input size 100 is not a multiple of 8: use 96 or 104"):
        CDCNpp(CDCNOptions(), input_size=100)


def test_the_head_has_one_column_whatever_the_classes() -> None:
    network = CDCN(CDCNOptions(), input_size=64, num_classes=5)
    assert network.num_logits == 1
