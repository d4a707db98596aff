"""The networks against what was published: entries, shapes, outputs for seeded weights, and the import."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from fas_core.testing import check_backbone
from fas_minifasnet.networks import MiniFasNet, MiniFasNetV1SE, MiniFasNetV2
from fas_minifasnet.options import MiniFasNetV1SEOptions, MiniFasNetV2Options

NETWORKS = {
    "minifasnet_v2": (MiniFasNetV2, MiniFasNetV2Options()),
    "minifasnet_v1se": (MiniFasNetV1SE, MiniFasNetV1SEOptions()),
}
PUBLISHED = {
    "minifasnet_v2": (334, "396eb6b4584e6434"),
    "minifasnet_v1se": (370, "dbdaf5abb658ae6f"),
}
"""Number of entries of the published files, and the SHA-256 of their sorted names and shapes."""
OUTPUTS = {
    "minifasnet_v2": [[37928.125, 43231.609375, -14680.28125], [39963.785156, 38003.859375, -27591.894531]],
    "minifasnet_v1se": [[-1345.65625, 12579.916992, 38395.054688], [-7136.720703, 6259.649414, 31712.125]],
}
"""Logits of the published program for `seeded_weights` and `seeded_input`."""


def build(name: str) -> MiniFasNet:
    network, options = NETWORKS[name]
    return network(options, num_classes=3).eval()


def published_entries(network: MiniFasNet) -> dict[str, Tensor]:
    return {network.published_name(name): value for name, value in network.state_dict().items()}


def seeded_weights(entries: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return an entry of each name and shape, drawn in the order of the names."""
    rng = np.random.default_rng(0)
    weights = {}
    for name in sorted(entries):
        values = rng.standard_normal(entries[name].shape) * 0.2
        values = (
            1 + np.abs(values)
            if name.endswith("running_var") or (".bn" in name and name.endswith("weight"))
            else values
        )
        weights[name] = torch.as_tensor(values, dtype=entries[name].dtype)
    return weights


def seeded_input() -> Tensor:
    return torch.as_tensor(np.random.default_rng(1).integers(0, 256, (2, 3, 80, 80)), dtype=torch.float32)


@pytest.mark.parametrize("name", NETWORKS)
def test_contract(name: str) -> None:
    check_backbone(name)


@pytest.mark.parametrize("name", NETWORKS)
def test_entries_are_the_published_ones(name: str) -> None:
    entries = published_entries(build(name))
    lines = sorted(f"{entry} {tuple(value.shape)}" for entry, value in entries.items())
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    assert (len(entries), digest) == PUBLISHED[name]


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_the_published_ones(name: str) -> None:
    network = build(name)
    weights = seeded_weights(published_entries(network))
    network.load_state_dict({entry: weights[network.published_name(entry)] for entry in network.state_dict()})
    with torch.inference_mode():
        logits = network.forward_head(network.forward_embedding(network.forward_features(seeded_input())))
    np.testing.assert_allclose(logits.numpy(), OUTPUTS[name], rtol=1e-4, atol=1e-4)


def run_import(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fas_core", "import", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_two_files_are_imported_as_one_model(tmp_path: Path) -> None:
    files = []
    for name in NETWORKS:
        weights = seeded_weights(published_entries(build(name)))
        files.append(tmp_path / f"{name}.pth")
        torch.save({f"module.{entry}": value for entry, value in weights.items()}, files[-1])
    archs = [word for name in NETWORKS for word in ("--arch", name)]
    done = run_import(*files, *archs, "--modality", "rgb_2_7,rgb_4_0", "-o", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    recipe = yaml.safe_load((tmp_path / "run" / "recipe.yaml").read_text())
    assert recipe["model"]["num_classes"] == 3
    assert recipe["model"]["fusion"]["name"] == "score_mean"
    assert {name: (crop["scale"], crop["photo"]) for name, crop in recipe["crops"].items()} == {
        "rgb_2_7": (2.7, "rgb"),
        "rgb_4_0": (4.0, "rgb"),
    }
    assert {recipe["model"]["normalize"][name]["channels"] for name in recipe["modalities"]} == {"bgr"}
    swapped = run_import(*files[::-1], *archs, "--modality", "rgb_2_7,rgb_4_0", "-o", tmp_path / "swapped")
    assert swapped.returncode != 0
    assert "does not fit minifasnet_v1se + minifasnet_v2 under score_mean" in swapped.stderr
