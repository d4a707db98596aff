"""Any backbone works under any fusion, for any modalities, and every loss trains its kind of model."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.descriptors import Fusion, Loss
from fas_core.models.build import build_model
from fas_core.models.model import Model
from fas_core.records.outputs import Batch
from fas_core.registry import registry

FUSIONS = [item.name for item in registry().all(Fusion)]
SIZE, BATCH = 64, 2
SEVERAL = {"rgb": "mobilenetv2", "depth": "feathernet_b", "ir": "cdcn"}


def build(modalities: list[str], backbone: object, fusion: object) -> Model:
    tree = {
        "modalities": modalities,
        "model": {"backbone": backbone, "fusion": fusion, "input_size": SIZE},
    }
    torch.manual_seed(14)
    return build_model(structure(tree, Recipe, registry(), "test"), registry())


def draw_images(model: Model) -> dict[str, torch.Tensor]:
    shape = (BATCH, SIZE, SIZE, 3)
    return {name: torch.randint(0, 256, shape, dtype=torch.uint8) for name in model.modalities}


@pytest.mark.parametrize("fusion", FUSIONS)
@torch.inference_mode()
def test_every_fusion_joins_different_backbones(fusion: str) -> None:
    if fusion == "single":
        model = build(["ir"], "feathernet_a", fusion)
    elif fusion == "input_concat":
        model = build(list(SEVERAL), "feathernet_a", fusion)
    else:
        model = build(list(SEVERAL), SEVERAL, fusion)
    outputs = model.eval()(draw_images(model))
    assert outputs.score.shape == (BATCH,)
    assert outputs.score.isfinite().all()


@pytest.mark.parametrize(
    ("loss", "backbone", "fusion"),
    [
        ("focal", "feathernet_b", "score_mean"),
        ("cross_entropy", "feathernet_a", "cdcn"),
        ("am_softmax", "feathernet_a", {"name": "concat_linear", "classifier": "cosine"}),
        ("am_softmax", "feathernet_a", {"name": "se_fusion", "classifier": "cosine"}),
        ("map_mse", "cdcn", "single"),
        ("contrast_depth", "cdcnpp", "single"),
        ("contrast_depth", "cdcn", "input_concat"),
    ],
)
def test_every_loss_trains_its_kind_of_model(loss: str, backbone: str, fusion: Any) -> None:
    model = build(["rgb"] if fusion == "single" else ["rgb", "ir"], backbone, fusion).train()
    component = registry().find(Loss, loss)
    criterion = component.load()(component.options(), model=model)
    label = torch.tensor([1, 0])
    batch = Batch(draw_images(model), label, index=label)
    criterion(model(batch.images), batch).backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert not [
        name for name, gradient in gradients.items() if gradient is None or not gradient.isfinite().all()
    ]
    assert sum(bool(gradient.any()) for gradient in gradients.values() if gradient is not None) > 10
