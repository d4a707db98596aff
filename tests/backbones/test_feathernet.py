"""FeatherNetA and B: sizes, heads and stages that are not built. Parity is in tests/parity."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fas_core import ConfigError, Stage
from fas_plugins.backbones.feathernet import FeatherNet, FeatherNetA, FeatherNetB
from fas_plugins.backbones.options import FeatherNetOptions

STREAMING, LINEAR = FeatherNetOptions(), FeatherNetOptions(head="linear")


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("network", "count"), [(FeatherNetA, 345_332), (FeatherNetB, 351_220)])
def test_parameter_counts_are_the_published_ones(network: type[FeatherNet], count: int) -> None:
    assert parameters(network(STREAMING)) == count
    assert parameters(network(LINEAR)) == count + 1024 * 2 + 2
    assert parameters(network(STREAMING, until="maps")) == count - 64 * 9
    assert parameters(network(LINEAR, until="embeddings")) == count


@pytest.mark.parametrize(
    ("size", "side", "embedding"), [(224, 7, 1024), (128, 4, 256), (160, 5, 576), (32, 1, 64)]
)
def test_sizes_follow_from_the_input_size(size: int, side: int, embedding: int) -> None:
    network = FeatherNetB(STREAMING, input_size=size).eval()
    features = network.forward_features(torch.zeros(1, 3, size, size))
    assert features.shape == (1, 64, side, side)
    assert network.forward_embedding(features).shape == (1, embedding)
    assert (network.embedding_dim, network.num_logits) == (embedding, embedding)


def test_the_streaming_head_is_the_embedding_itself() -> None:
    network = FeatherNetA(STREAMING, input_size=64)
    embedding = torch.randn(2, 64)
    assert network.forward_head(embedding) is embedding


def test_the_linear_head_has_as_many_logits_as_asked() -> None:
    network = FeatherNetA(LINEAR, input_size=64, num_classes=5).eval()
    assert network.num_logits == 5
    assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 5)


@pytest.mark.parametrize(
    ("until", "shape"), [("maps", (1, 64, 2, 2)), ("embeddings", (1, 64)), ("logits", (1, 2))]
)
def test_a_forward_pass_ends_at_the_last_stage_built(until: Stage, shape: tuple[int, ...]) -> None:
    network = FeatherNetA(LINEAR, input_size=64, until=until).eval()
    assert network(torch.zeros(1, 3, 64, 64)).shape == shape


@pytest.mark.parametrize("size", [0, -32, 1, 33, 100, 225])
def test_an_impossible_size_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match=f"input size {size} is "):
        FeatherNetB(STREAMING, input_size=size)


def test_start_weights_are_scaled_by_fan_out() -> None:
    torch.manual_seed(0)
    expand = FeatherNetA(STREAMING).features[15].conv[0]  # 1 x 1, 64 -> 384
    assert expand.weight.std().item() == pytest.approx((2 / 384) ** 0.5, rel=0.05)
