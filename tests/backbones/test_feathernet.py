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


@pytest.mark.parametrize(
    ("width", "channels", "hidden"),
    [(1.0, (32, 16, 32, 48, 64), (2, 4, 6, 8)), (0.5, (16, 8, 16, 24, 32), (1, 2, 3, 4))],
)
def test_width_scales_every_layer(width: float, channels: tuple[int, ...], hidden: tuple[int, ...]) -> None:
    """Of the stem and the stages, and the hidden layer of each squeeze and excitation, an eighth."""
    network = FeatherNetB(FeatherNetOptions(width=width), input_size=128).eval()
    blocks = network.list_blocks()
    found = (blocks[0][0][0].out_channels, *(blocks[last][-1].fc[2].out_features for last in (1, 3, 9, 12)))
    assert found == channels
    assert tuple(blocks[last][-1].fc[0].out_features for last in (1, 3, 9, 12)) == hidden
    assert network.num_features == channels[-1]
    assert network(torch.zeros(1, 3, 128, 128)).shape == (1, channels[-1] * 4)


def test_every_width_gives_multiples_of_eight() -> None:
    for width in (0.1, 0.25, 0.35, 0.75, 1.4):
        for module in FeatherNetA(FeatherNetOptions(width=width), input_size=32).modules():
            if isinstance(module, nn.Conv2d):
                assert module.out_channels % 8 == 0


def test_half_the_width_has_a_third_of_the_parameters() -> None:
    """Not a quarter: depth-wise kernels and batch norms shrink with the width alone."""
    whole, half = FeatherNetB(STREAMING), FeatherNetB(FeatherNetOptions(width=0.5))
    assert list(half.state_dict()) == list(whole.state_dict())
    assert 0.25 < parameters(half) / parameters(whole) < 0.35


def test_start_weights_are_scaled_by_fan_out() -> None:
    torch.manual_seed(0)
    expand = FeatherNetA(STREAMING).features[15].conv[0]  # 1 x 1, 64 -> 384
    assert expand.weight.std().item() == pytest.approx((2 / 384) ** 0.5, rel=0.05)
