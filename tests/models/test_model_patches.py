"""A model with patches scores a face by the mean of its patches' logits, and is trained on single patches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from fas_core.config.recipe import Patches, Recipe
from fas_core.config.structure import structure
from fas_core.errors import ConfigError
from fas_core.models.build import build_model
from fas_core.models.model import Model
from fas_core.registry import registry

SIZE = 64


def recipe(patches: dict[str, Any] | None, **model: Any) -> Recipe:
    tree = {
        "modalities": model.pop("modalities", ["rgb"]),
        "model": {"backbone": "feathernet_b", "fusion": "single", "input_size": SIZE, "patches": patches}
        | model,
        "train": {"modality_dropout": model.pop("modality_dropout", 0.0)},
    }
    tree["model"].pop("modality_dropout", None)
    return structure(tree, Recipe, registry(), "test")


def build(recipe: Recipe) -> Model:
    torch.manual_seed(14)
    return build_model(recipe, registry()).eval()


def faces(side: int, count: int = 2) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(3).integers(0, 256, (count, side, side, 3), np.uint8))


@pytest.mark.parametrize(
    ("grid", "share", "face_size", "starts"),
    [
        (3, 0.5, 128, (0, 32, 64)),
        (2, 0.5, 128, (0, 64)),
        (1, 0.5, 128, (32,)),
        (3, 0.75, 85, (0, 10, 21)),
        (2, 1.0, 64, (0, 0)),
    ],
)
@torch.inference_mode()
def test_the_score_is_that_of_the_mean_logits(
    grid: int, share: float, face_size: int, starts: tuple[int, ...]
) -> None:
    made = recipe({"grid": grid, "share": share})
    assert made.model.face_size == face_size
    model, images = build(made), faces(face_size)
    assert model.face_size == face_size
    whole = build(recipe(None))  # the same weights, of one patch
    patches = [images[:, top : top + SIZE, left : left + SIZE] for top in starts for left in starts]
    expected = torch.stack([whole({"rgb": patch}).logits for patch in patches]).mean(dim=0)
    outputs = model({"rgb": images})
    torch.testing.assert_close(outputs.logits, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(outputs.score, expected.softmax(dim=1)[:, 1])
    assert outputs.map is None
    assert outputs.embedding is None


def test_training_takes_single_patches() -> None:
    model = build(recipe({"grid": 3, "share": 0.5})).train()
    outputs = model({"rgb": faces(SIZE, 4)})
    assert outputs.score.shape == (4,)
    assert outputs.embedding is not None


@torch.inference_mode()
def test_modalities_have_patches_at_the_same_positions_and_may_be_missing() -> None:
    several = {"modalities": ["rgb", "ir"], "fusion": "concat_linear", "modality_dropout": 0.3}
    model = build(recipe({"grid": 2, "share": 0.5}, **several))
    images = {"rgb": faces(2 * SIZE), "ir": faces(2 * SIZE).flip(0)}
    presence = torch.tensor([[True, True], [False, True]])
    both = model(images, presence).score
    blank = model({"rgb": torch.zeros_like(images["rgb"]), "ir": images["ir"]}, presence).score
    alone = model({name: value[1:] for name, value in images.items()}, presence[1:]).score
    assert both[0] != blank[0]
    assert both[1] == blank[1]
    torch.testing.assert_close(both[1:], alone)


@pytest.mark.parametrize(
    ("values", "option"),
    [({"grid": 0}, "grid"), ({"share": 0.0}, "share"), ({"share": 1.5}, "share"), ({"size": 3}, "size")],
)
def test_impossible_patches_are_refused(values: dict[str, Any], option: str) -> None:
    with pytest.raises(ConfigError, match=rf"model\.patches\.{option}: "):
        recipe(values)


def test_patches_are_off_by_default() -> None:
    assert recipe(None).model.face_size == SIZE
    assert Patches() == Patches(grid=3, share=0.5)
