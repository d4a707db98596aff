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
from fas_core.errors import ModelError
from fas_core.models.build import build_model
from fas_core.models.grad_cam import grad_cam
from fas_core.models.model import Model
from fas_core.registry import registry

FUSIONS = [item.name for item in registry().all(Fusion)]
WITHOUT_GRADIENTS = "color_lbp"
BACKBONES = [item.name for item in registry().all(Backbone) if item.name != WITHOUT_GRADIENTS]
SIZE, BATCH = 64, 2
COMMON_SIZE = 128
"""The size at which every backbone can be built."""
SEVERAL = {"rgb": "mobilenetv2", "depth": "feathernet_b", "ir": "cdcn"}


def build(modalities: list[str], backbone: object, fusion: str, size: int = SIZE, **train: Any) -> Model:
    tree = {
        "modalities": modalities,
        "model": {"backbone": backbone, "fusion": fusion, "input_size": size},
    } | ({"train": train} if train else {})
    torch.manual_seed(14)
    return build_model(structure(tree, Recipe, registry(), "test"), registry())


def calibrate(model: Model) -> Model:
    """In eval mode, with the batch norms' statistics of real activations."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(draw_images(model))
    return model.eval()


def draw_images(model: Model) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    shape = (BATCH, model.face_size, model.face_size, 3)
    return {
        name: torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        for name in model.modalities
    }


def side(model: Model, branch: str) -> int:
    return model.face_size // cast(BackboneModule, model.backbones[branch]).reduction


def test_features_without_gradients_are_refused() -> None:
    model = build(["rgb"], WITHOUT_GRADIENTS, "single").eval()
    with pytest.raises(ModelError, match="'rgb' backbone: its features have no gradients"):
        grad_cam(model, draw_images(model))


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone(backbone: str) -> None:
    model = calibrate(build(["rgb"], backbone, "single", COMMON_SIZE))
    maps = grad_cam(model, draw_images(model))
    expected = side(model, "rgb")
    assert maps["rgb"].shape == (BATCH, expected, expected)
    assert maps["rgb"].isfinite().all()
    assert (maps["rgb"] >= 0).all()
    assert all(parameter.grad is None for parameter in model.parameters()), "no gradients remain"


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion(fusion: str) -> None:
    shared = fusion == "input_concat"
    modalities = ["ir"] if fusion == "single" else list(SEVERAL)
    backbone: object = "feathernet_a" if shared or fusion == "single" else SEVERAL
    model = calibrate(build(modalities, backbone, fusion))
    maps = grad_cam(model, draw_images(model))
    assert list(maps) == modalities
    for name, values in maps.items():
        expected = side(model, "shared" if shared else name)
        assert values.shape == (BATCH, expected, expected)
        assert values.isfinite().all()
    if shared:
        assert torch.equal(maps["rgb"], maps["ir"])


@pytest.mark.parametrize("fusion", [name for name in FUSIONS if name not in ("single", "input_concat")])
def test_missing_modalities_have_no_evidence(fusion: str) -> None:
    model = calibrate(build(list(SEVERAL), "feathernet_a", fusion, modality_dropout=0.3))
    presence = torch.tensor([[True, False, True], [True, True, False]])
    maps = grad_cam(model, draw_images(model), presence)
    assert not maps["depth"][0].any()
    assert not maps["ir"][1].any()
    assert all(values.isfinite().all() for values in maps.values())


@torch.inference_mode()
def test_outputs_hold_the_features_of_each_backbone() -> None:
    model = calibrate(build(list(SEVERAL), SEVERAL, "concat_linear"))
    inputs = draw_images(model)
    for name, features in model(inputs).features.items():
        backbone = cast(BackboneModule, model.backbones[name])
        torch.testing.assert_close(features, backbone.forward_features(model.preprocess[name](inputs[name])))
