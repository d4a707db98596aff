"""Each published architecture, imported from a checkpoint as published, gives the published outputs."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fas_core.contracts import BackboneModule
from fas_plugins.commands.importing.import_checkpoint import match_model
from fas_plugins.commands.importing.recipe import build_recipe
from fas_core.models.matching import copy_matched
from fas_core.models.published import read_published
from fas_core.registry import registry

TOLERANCE = 1e-4
ENTRIES = {
    "feathernet_a": "feathernet_a",
    "feathernet_b": "feathernet_b",
    "mobilelitenet54": "mobilelitenet54",
    "mobilelitenet54_se": "mobilelitenet54_se",
    "mobilenetv2": "mobilenetv2",
    "mobilenetv2_imagenet": "mobilenetv2",
    "fishnet99": "fishnet99",
    "fishnet150": "fishnet150",
    "fishnet201": "fishnet201",
    "fishnet150_fas": "fishnet150",
    "cdcn": "cdcn",
    "cdcnpp": "cdcnpp",
}
"""Backbone by entry of architectures.json."""


def import_backbone(checkpoint: Path, arch: str) -> nn.Module:
    """Import a checkpoint as `fas import` does, with every entry matched, and return the model's backbone."""
    published = read_published(checkpoint)
    recipe = build_recipe("feathernet-b-32", registry(), [arch], {}, {})
    model, matched, _ = match_model(published, recipe, registry())
    assert matched.exact, matched.differences()
    copy_matched(model, matched, published.weights)
    (backbone,) = model.eval().backbones.values()
    return backbone


def run_backbone(backbone: nn.Module, x: Tensor) -> np.ndarray:
    """Return the logits, or the map of a network that predicts one."""
    staged = cast(BackboneModule, backbone)
    with torch.inference_mode():
        embedding = staged.forward_embedding(staged.forward_features(x))
        result = embedding if hasattr(backbone, "map_size") else staged.forward_head(embedding)
    return result.double().numpy()


@pytest.mark.parametrize("prefix", ["module.", ""])
@pytest.mark.parametrize("entry", ENTRIES)
def test_published_weights_give_published_outputs(
    entry: str, prefix: str, fill: ModuleType, tmp_path: Path
) -> None:
    """Checkpoints with `DataParallel`'s prefix inside a training checkpoint, and bare state dicts."""
    weights: dict[str, Any] = {
        f"{prefix}{name}": torch.from_numpy(np.asarray(value))
        for name, value in fill.state_dict(entry).items()
    }
    training = {"epoch": 7, "arch": entry, "state_dict": weights, "best_prec1": 99.0}
    checkpoint = tmp_path / "checkpoint.pth.tar"
    torch.save(training if prefix else weights, checkpoint)
    expected = fill.output(entry)

    got = run_backbone(import_backbone(checkpoint, ENTRIES[entry]), torch.from_numpy(fill.batch(entry)))

    checkpoint.unlink()  # up to 178 MB each
    got = got.reshape(expected.shape)  # a predicted map comes row by row
    error = np.abs(got - expected).max() / np.abs(expected).max()
    assert error <= TOLERANCE
