"""Each published architecture, loaded with weights under the published names, gives the published outputs."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from fas_core import Backbone
from fas_core.plugins import registry

TOLERANCE = 1e-4
ENTRIES: dict[str, tuple[str, dict[str, Any]]] = {
    "feathernet_a": ("feathernet_a", {}),
    "feathernet_b": ("feathernet_b", {}),
    "mobilelitenet54": ("mobilelitenet54", {}),
    "mobilelitenet54_se": ("mobilelitenet54_se", {}),
    "mobilenetv2": ("mobilenetv2", {}),
    "mobilenetv2_imagenet": ("mobilenetv2", {"num_classes": 1000}),
    "fishnet99": ("fishnet99", {"num_classes": 1000}),
    "fishnet150": ("fishnet150", {"num_classes": 1000}),
    "fishnet201": ("fishnet201", {"num_classes": 1000}),
    "fishnet150_fas": ("fishnet150", {}),
    "cdcn": ("cdcn", {"input_size": 256, "until": "embeddings"}),
    "cdcnpp": ("cdcnpp", {"input_size": 256, "until": "embeddings"}),
}
"""Each entry of architectures.json: our backbone, and what it is built with. CDCN's entry is its map."""


def load_published(network: nn.Module, published: dict[str, np.ndarray]) -> None:
    """Load a state dict under published names, all of it and nothing else."""
    theirs = {name: network.published_name(name) for name in network.state_dict()}
    ours = {name: torch.from_numpy(np.asarray(published.pop(theirs[name]))) for name in theirs}
    assert not published
    network.load_state_dict(ours)


def built(entry: str) -> nn.Module:
    name, settings = ENTRIES[entry]
    backbone = registry().find("backbone", name)
    assert isinstance(backbone, Backbone)
    network = backbone.load()(backbone.options(), **settings)
    assert isinstance(network, nn.Module)
    return network.eval()


@pytest.mark.parametrize("entry", ENTRIES)
def test_published_weights_give_published_outputs(entry: str, fill: ModuleType) -> None:
    network = built(entry)
    load_published(network, fill.state_dict(entry))
    expected = fill.output(entry)

    with torch.inference_mode():
        got = network(torch.from_numpy(fill.batch(entry))).double().numpy()

    got = got.reshape(expected.shape)  # a predicted map comes row by row
    error = np.abs(got - expected).max() / np.abs(expected).max()
    assert error <= TOLERANCE
