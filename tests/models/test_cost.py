"""Costs counted by hand, and the published tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from fas_core.descriptors import Backbone
from fas_core.models.cost import latency, measure
from fas_core.registry import registry

PUBLISHED = json.loads((Path(__file__).parents[1] / "parity" / "architectures.json").read_text())
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
def test_published_networks_cost_what_was_counted_of_them(entry: str) -> None:
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


def test_what_works_in_place_takes_no_memory() -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(inplace=True), nn.Identity())
    assert measure(network, torch.zeros(1, 1, 4, 4)).activations == 4 * 16


def test_latency_says_its_spread_and_threads() -> None:
    before = torch.get_num_threads()
    found = latency(lambda: torch.ones(8) + 1, threads=1, runs=7)
    assert 0 < found.low <= found.median <= found.high
    assert (found.runs, found.threads) == (7, 1)
    assert torch.get_num_threads() == before
