"""The cost of a network, counted by hand and in the published tables."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from fas_core.descriptors import Backbone
from fas_core.registry import registry
from fas_plugins.commands.models.cost import measure

PUBLISHED = json.loads((Path(__file__).parents[2] / "parity" / "architectures.json").read_text())
COUNTED = {
    "feathernet_a": ("feathernet_a", 2),
    "feathernet_b": ("feathernet_b", 2),
    "mobilelitenet54": ("mobilelitenet54", 2),
    "mobilelitenet54_se": ("mobilelitenet54_se", 2),
    "mobilenetv2": ("mobilenetv2", 2),
    "mobilenetv2_imagenet": ("mobilenetv2", 1000),
    "fishnet99": ("fishnet99", 1000),
    "fishnet150": ("fishnet150", 1000),
    "fishnet201": ("fishnet201", 1000),
    "fishnet150_fas": ("fishnet150", 2),
}


@pytest.mark.parametrize("entry", COUNTED)
def test_published_networks_have_the_published_cost(entry: str) -> None:
    name, classes = COUNTED[entry]
    component = registry().find(Backbone, name)
    with torch.device("meta"):
        network = component.load()(component.options(), num_classes=classes)
        cost = measure(network, torch.zeros(1, 3, 224, 224))
    assert cost.params == PUBLISHED[entry]["params"]
    assert cost.published == PUBLISHED[entry]["macs"]
    assert cost.macs < cost.published
    assert sum(block.published for block in cost.blocks) == cost.published
    assert sum(block.params for block in cost.blocks) == cost.params


def test_each_layer_by_hand() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),  # 8 x 4 x 4 outputs of 27 products, and their biases
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.ReLU6(),  # free
        nn.MaxPool2d(2),  # 8 x 2 x 2 outputs of windows of 4
        nn.Conv2d(8, 8, 1, groups=8, bias=False),
        nn.Flatten(),
        nn.Linear(32, 5),
    )
    cost = measure(network, torch.zeros(1, 3, 8, 8))
    products = 8 * 16 * 27 + 32 + 32 * 5
    assert cost.macs == products
    assert cost.published == products + 128 + 2 * 128 + 32 * 4 + 5
    assert cost.params == 8 * 27 + 8 + 16 + 8 + 32 * 5 + 5
    assert cost.activations == 4 * (4 * 128 + 32 + 32 + 32 + 5)
    assert cost.largest == 4 * (3 * 64 + 128)


def test_layers_in_place_take_no_memory() -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(inplace=True), nn.Identity())
    assert measure(network, torch.zeros(1, 1, 4, 4)).activations == 4 * 16


class Net(nn.Module):
    """Every kind of layer whose forward pass is skipped on the meta device, in and out of place."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU6(), nn.Conv2d(4, 4, 3), nn.ReLU6(inplace=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def test_the_meta_device_counts_the_same_and_leaves_the_layers_as_they_were() -> None:
    network = Net()
    expected = measure(network, torch.zeros(1, 3, 8, 8))
    shapes = deepcopy(network).to("meta")
    assert measure(shapes, torch.zeros(1, 3, 8, 8, device="meta")) == expected
    moved = shapes.to_empty(device="cpu")
    moved.load_state_dict(network.state_dict())
    x = torch.rand(2, 3, 8, 8)
    assert torch.equal(moved(x), network(x))


def test_blocks_are_named_by_their_position_in_branches_and_lists() -> None:
    network = nn.ModuleDict({"rgb": nn.Sequential(Net(), nn.ReLU())})
    model = nn.Sequential()
    model.add_module("backbones", network)
    model.forward = lambda x: network["rgb"](x)  # type: ignore[method-assign]
    cost = measure(model, torch.zeros(1, 3, 8, 8))
    assert [(block.name, block.kind, block.shape) for block in cost.blocks] == [
        ("backbones.rgb.0", "Net", (4, 4, 4)),
        ("backbones.rgb.1", "ReLU", (4, 4, 4)),
    ]
    assert [block.params for block in cost.blocks] == [112 + 8 + 148, 0]
