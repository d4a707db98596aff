"""Grad-CAM of every backbone and under every fusion that is registered."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import Tensor

from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.contracts import BackboneModule
from fas_core.descriptors import Backbone, Fusion
from fas_core.models.build import build_model
from fas_core.models.grad_cam import grad_cam
from fas_core.models.model import Model
from fas_core.registry import registry

FUSIONS = [item.name for item in registry().all(Fusion)]
BACKBONES = [item.name for item in registry().all(Backbone)]
SIZE, BATCH = 64, 2
EVERY = 128
"""The size at which every backbone can be built."""
SEVERAL = {"rgb": "mobilenetv2", "depth": "feathernet_b", "ir": "cdcn"}


def built(modalities: list[str], backbone: object, fusion: str, size: int = SIZE, **train: Any) -> Model:
    tree = {
        "modalities": modalities,
        "model": {"backbone": backbone, "fusion": fusion, "input_size": size},
        "train": train,
    }
    torch.manual_seed(14)
    return build_model(structure(tree, Recipe, registry(), "test"), registry())


def settled(model: Model) -> Model:
    """In eval mode, with the batch norms' statistics of real activations."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(images(model))
    return model.eval()


def images(model: Model) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    shape = (BATCH, model.face_size, model.face_size, 3)
    return {
        name: torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        for name in model.modalities
    }


def side(model: Model, branch: str) -> int:
    return model.face_size // cast(BackboneModule, model.backbones[branch]).reduction


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone(backbone: str) -> None:
    model = settled(built(["rgb"], backbone, "single", EVERY))
    found = grad_cam(model, images(model))
    expected = side(model, "rgb")
    assert found["rgb"].shape == (BATCH, expected, expected)
    assert found["rgb"].isfinite().all()
    assert (found["rgb"] >= 0).all()
    assert all(parameter.grad is None for parameter in model.parameters()), "nothing is left behind"


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion(fusion: str) -> None:
    shared = fusion == "input_concat"
    modalities = ["ir"] if fusion == "single" else list(SEVERAL)
    backbone: object = "feathernet_a" if shared or fusion == "single" else SEVERAL
    model = settled(built(modalities, backbone, fusion))
    found = grad_cam(model, images(model))
    assert list(found) == modalities
    for name, values in found.items():
        expected = side(model, "shared" if shared else name)
        assert values.shape == (BATCH, expected, expected)
        assert values.isfinite().all()
    if shared:
        assert torch.equal(found["rgb"], found["ir"])


@pytest.mark.parametrize("fusion", [name for name in FUSIONS if name not in ("single", "input_concat")])
def test_what_is_missing_has_no_evidence(fusion: str) -> None:
    model = settled(built(list(SEVERAL), "feathernet_a", fusion, modality_dropout=0.3))
    presence = torch.tensor([[True, False, True], [True, True, False]])
    found = grad_cam(model, images(model), presence)
    assert not found["depth"][0].any()
    assert not found["ir"][1].any()
    assert all(values.isfinite().all() for values in found.values())


@torch.inference_mode()
def test_outputs_hold_what_each_backbone_gave() -> None:
    model = settled(built(list(SEVERAL), SEVERAL, "concat_linear"))
    given = images(model)
    for name, features in model(given).features.items():
        backbone = cast(BackboneModule, model.backbones[name])
        torch.testing.assert_close(features, backbone.forward_features(model.preprocess[name](given[name])))
