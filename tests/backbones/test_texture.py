"""Statistics of early maps: worked by hand, of every network, without what light and contrast do."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from fas_core import Backbone, ConfigError
from fas_core.contracts import BlockBackbone
from fas_core.testing import find_component, read_options
from fas_plugins.backbones.efficientnet import EfficientNetLite0
from fas_plugins.backbones.options import TextureOptions
from fas_plugins.backbones.texture import Texture, pool_statistics

NETWORKS = ("cdcn", "cdcnpp", "efficientnet_lite0", "feathernet_a", "feathernet_b", "fishnet99")
NETWORKS += ("mobilelitenet54", "mobilelitenet54_se", "mobilenetv2")


def smallest_side(name: str) -> int:
    return 128 if name.startswith("mobilelitenet") else 32


def options(**values: Any) -> TextureOptions:
    return read_options(TextureOptions, values)


def test_statistics_of_a_hand_worked_map() -> None:
    x = torch.tensor([[[1.0, 3], [1, 3]], [[0, 0], [0, 8]]])[None]  # means 2 and 2, deviations 1 and sqrt(12)
    deviations = (1, math.sqrt(12))
    logarithms = (0, math.log(12) / 2)
    expected = {
        "mean": (2, 2),
        "deviation": deviations,
        "maximum": (3, 8),
        "relative_mean": (2 / math.sqrt(6.5), 2 / math.sqrt(6.5)),
        "log_deviation": tuple(value - sum(logarithms) / 2 for value in logarithms),
    }
    for name, values in expected.items():
        result = pool_statistics(x, (name,), bins=8)  # type: ignore[arg-type]
        torch.testing.assert_close(result, torch.tensor([values], dtype=torch.float32))
    joined = pool_statistics(x, ("maximum", "mean"), bins=8)
    assert joined.tolist() == [[3, 8, 2, 2]]


def test_histograms_share_a_value_between_the_nearest_bins() -> None:
    x = torch.tensor([-1.0, 1.0]).repeat(8).view(1, 1, 4, 4)  # of mean 0 and deviation 1
    result = pool_statistics(x, ("histogram",), bins=5)  # bins at -2, -1, 0, 1, 2
    torch.testing.assert_close(result, torch.tensor([[0, 0.5, 0, 0.5, 0]]))
    result = pool_statistics(x, ("histogram",), bins=4)  # bins at -2, -2/3, 2/3, 2
    torch.testing.assert_close(result, torch.tensor([[0.125, 0.375, 0.375, 0.125]]))
    spread = pool_statistics(torch.randn(2, 3, 16, 16), ("histogram",), bins=8)
    torch.testing.assert_close(spread.view(2, 8, 3).sum(dim=1), torch.ones(2, 3))


def test_relative_statistics_do_not_see_the_contrast() -> None:
    x = torch.randn(2, 5, 8, 8)
    for name in ("relative_mean", "log_deviation", "histogram"):
        first, second = (pool_statistics(gain * x, (name,), bins=4) for gain in (1, 3))  # type: ignore[arg-type]
        torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-4)


def test_a_flat_map_has_finite_statistics_and_gradients() -> None:
    x = torch.zeros(1, 2, 4, 4, requires_grad=True)
    every = ("mean", "deviation", "maximum", "relative_mean", "log_deviation", "histogram")
    result = pool_statistics(x, every, bins=4)  # type: ignore[arg-type]
    result.sum().backward()
    assert result.isfinite().all()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("name", NETWORKS)
@torch.inference_mode()
def test_the_blocks_of_a_network_are_the_start_of_its_features(name: str) -> None:
    component, side = find_component(Backbone, name), smallest_side(name)
    network = component.load()(component.options(), input_size=side, until="maps").eval()
    blocks = cast(BlockBackbone, network).list_blocks()
    last = next(module for module in reversed(list(blocks[-1].modules())) if not list(module.children()))
    outputs: list[torch.Tensor] = []
    last.register_forward_hook(lambda _, __, output: outputs.append(output.clone()))
    x = torch.randn(1, 3, side, side)
    network.forward_features(x)
    in_network = list(outputs)  # several of a layer that is used again, such as a ReLU
    for block in blocks:
        x = block(x)
    assert len(blocks) >= 4
    assert x.ndim == 4
    assert any(output.shape == outputs[-1].shape and output.allclose(outputs[-1]) for output in in_network)


@pytest.mark.parametrize("name", NETWORKS)
@torch.inference_mode()
def test_any_network_has_texture_and_only_its_first_blocks_are_built(name: str) -> None:
    side = smallest_side(name)
    network = Texture(options(network=name, blocks=[0, 1], statistics=["mean"]), input_size=side).eval()
    x = torch.randn(2, 3, side, side)
    first, second = network.blocks
    expected = torch.cat([first(x).mean(dim=(2, 3)), second(first(x)).mean(dim=(2, 3))], dim=1)
    torch.testing.assert_close(network.forward_features(x).flatten(1), expected)
    assert network(x).shape == (2, 2)
    assert (network.embedding_dim, len(network.blocks)) == (expected.shape[1], 2)


def test_sizes_and_published_names_of_the_default() -> None:
    network = Texture(TextureOptions(), input_size=64)
    assert network.embedding_dim == (16 + 24 + 40) * 2
    assert network.published_name("blocks.0.0.weight") == "_conv_stem.weight"
    assert network.published_name("blocks.5.bn2.bias") == "_blocks.4._bn2.bias"
    assert network.published_name("standardize.mean") == ""


def test_the_order_of_blocks_is_that_of_the_option() -> None:
    torch.manual_seed(0)
    first = Texture(options(blocks=[0, 2]), input_size=64, until="maps").eval()
    second = Texture(options(blocks=[2, 0]), input_size=64, until="maps").eval()
    second.load_state_dict(first.state_dict())
    x = torch.randn(1, 3, 64, 64)
    one, other = first(x).flatten(), second(x).flatten()
    assert torch.equal(one, torch.cat([other[48:], other[:48]]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"blocks": [17]}, "efficientnet_lite0 has blocks 0 to 16: not 17"),
        ({"network": "color_lbp"}, "'color_lbp' does not list its blocks"),
    ],
)
def test_what_a_network_lacks_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Texture(options(**values), input_size=64)


@pytest.mark.parametrize(
    "values",
    [{"blocks": []}, {"blocks": [1, 1]}, {"blocks": [-1]}, {"statistics": []}, {"network": "nothing"}],
)
def test_wrong_options_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        options(**values)


def test_weights_are_those_of_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EfficientNetLite0, "find_weights", staticmethod(lambda name: tmp_path / name))
    assert Texture(TextureOptions(), input_size=64).find_weights("imagenet") == tmp_path / "imagenet"
    other = Texture(options(network="feathernet_b"), input_size=64)
    with pytest.raises(ConfigError, match="feathernet_b has no published weights 'imagenet'"):
        other.find_weights("imagenet")


def test_a_network_has_options() -> None:
    choice = options(network={"name": "mobilenetv2", "width": 0.5}).network
    assert (choice.name, choice.options.width) == ("mobilenetv2", 0.5)
