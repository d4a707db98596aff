"""What a model says where modalities are missing, under every fusion."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from fas_core import ConfigError
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.descriptors import Fusion, Loss
from fas_core.models.build import build_model
from fas_core.models.model import Model
from fas_core.records.outputs import Batch
from fas_core.registry import registry

FUSIONS = [item.name for item in registry().all(Fusion) if item.name != "single"]
MODALITIES = ("rgb", "depth", "ir")
SIZE, BATCH = 64, 2


def built(fusion: str, dropout: float = 0.3, modalities: tuple[str, ...] = MODALITIES) -> Model:
    tree: dict[str, Any] = {
        "modalities": list(modalities),
        "model": {"backbone": "feathernet_a", "fusion": fusion, "input_size": SIZE},
        "train": {"modality_dropout": dropout},
    }
    torch.manual_seed(14)
    return build_model(structure(tree, Recipe, registry(), "test"), registry())


def settled(model: Model) -> Model:
    """In eval mode, with the batch norms' statistics of real activations, so that scores differ."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    model.train()(images(8))
    return model.eval()


def images(count: int = BATCH) -> dict[str, Tensor]:
    return {name: torch.randint(0, 256, (count, SIZE, SIZE, 3), dtype=torch.uint8) for name in MODALITIES}


@pytest.mark.parametrize("fusion", FUSIONS)
@torch.inference_mode()
def test_the_pixels_of_what_is_missing_do_not_count(fusion: str) -> None:
    model, given, other = settled(built(fusion)), images(), images()
    assert model.partial
    scores = []
    for row in product([True, False], repeat=len(MODALITIES)):
        if not any(row):
            continue
        presence = torch.tensor([row, (True, True, True)])
        mixed = {
            name: given[name] if here else other[name] for name, here in zip(MODALITIES, row, strict=True)
        }
        mixed = {name: torch.stack([mixed[name][0], given[name][1]]) for name in MODALITIES}
        score, again = model(given, presence).score, model(mixed, presence).score
        torch.testing.assert_close(score, again)
        torch.testing.assert_close(score[1], model(given).score[1])
        scores.append(float(score[0]))
    assert len({round(score, 7) for score in scores}) == 7, "every subset is another input"


@pytest.mark.parametrize("fusion", FUSIONS)
def test_training_reaches_every_parameter_when_something_is_missing(fusion: str) -> None:
    model = built(fusion).train()
    component = registry().find(Loss, "focal")
    presence, label = torch.tensor([[True, False, True], [False, True, False]]), torch.tensor([1, 0])
    batch = Batch(images(), label, index=label, presence=presence)
    component.load()(component.options(), model=model)(model(batch.images, presence), batch).backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


@torch.inference_mode()
def test_late_fusion_is_the_mean_over_those_present() -> None:
    model, given = settled(built("score_mean")), images()
    alone = [model(given, torch.eye(3, dtype=torch.bool)[[place] * BATCH]).score for place in range(3)]
    pair = model(given, torch.tensor([[True, False, True]] * BATCH)).score
    torch.testing.assert_close(pair, (alone[0] + alone[2]) / 2)


def test_there_must_be_something_left() -> None:
    with pytest.raises(ConfigError, match=r"train\.modality_dropout: 'rgb' is the only modality"):
        built("concat_linear", modalities=("rgb",))


def test_a_model_that_was_not_trained_so_is_not_partial() -> None:
    assert not built("concat_linear", dropout=0.0).partial
