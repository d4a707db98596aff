"""Building the model of a recipe."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.errors import ConfigError
from fas_core.models.build import build_model
from fas_core.models.model import Model
from fas_core.registry import registry


def build(modalities: tuple[str, ...], train: dict[str, Any] | None = None, **model: Any) -> Model:
    options = {"backbone": "feathernet_a", "fusion": "concat_linear", "input_size": 64} | model
    tree = {"modalities": list(modalities), "model": options, **({"train": train} if train else {})}
    with torch.device("meta"):
        return build_model(structure(tree, Recipe, registry(), "test"), registry())


def test_a_branch_for_each_modality() -> None:
    model = build(("rgb", "ir"))
    assert model.modalities == ("rgb", "ir")
    assert list(model.backbones) == ["rgb", "ir"]
    assert (model.face_size, model.partial, model.patches) == (64, False, None)


def test_branches_may_have_different_backbones() -> None:
    model = build(("rgb", "ir"), backbone={"ir": "feathernet_a", "rgb": "mobilenetv2"})
    names = {name: type(backbone).__name__ for name, backbone in model.backbones.items()}
    assert names["rgb"] != names["ir"]
    assert list(names) == ["rgb", "ir"]


def test_a_fusion_of_inputs_has_one_backbone() -> None:
    model = build(("rgb", "ir"), fusion="input_concat")
    assert list(model.backbones) == ["shared"]
    assert model.backbones["shared"].state_dict()["features.0.0.weight"].shape[1] == 6


def test_modality_dropout_makes_a_model_for_missing_modalities() -> None:
    assert build(("rgb", "ir"), {"modality_dropout": 0.3}).partial


def test_each_modality_is_normalised_by_its_own_values() -> None:
    normalize = {
        "rgb": {"mean": [0, 0, 0], "std": [1, 1, 1]},
        "ir": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
        "depth": {"mean": [0.1, 0.1, 0.1], "std": [1, 1, 1]},  # of a modality that this recipe leaves out
    }
    tree = {"modalities": ["rgb", "ir"], "model": {"backbone": "feathernet_a", "normalize": normalize}}
    tree["model"] |= {"fusion": "concat_linear", "input_size": 64}
    model = build_model(structure(tree, Recipe, registry(), "test"), registry())
    white = torch.full((1, 1, 1, 3), 255, dtype=torch.uint8)
    assert list(model.preprocess) == ["rgb", "ir"]
    for name in ("rgb", "ir"):
        torch.testing.assert_close(model.preprocess[name](white), torch.ones(1, 3, 1, 1))


@pytest.mark.parametrize(
    ("modalities", "train", "model", "message"),
    [
        (
            ("rgb",),
            {"modality_dropout": 0.3},
            {"fusion": "single"},
            r"train\.modality_dropout: 'rgb' is the only",
        ),
        (
            ("rgb", "ir"),
            {},
            {"backbone": {"rgb": "feathernet_a"}},
            r"model\.backbone: must name one for each",
        ),
        (
            ("rgb", "ir"),
            {},
            {"backbone": {"rgb": "feathernet_a", "ir": "feathernet_b"}, "fusion": "input_concat"},
            r"model\.backbone: fusion 'input_concat' has one backbone",
        ),
        (
            ("rgb", "ir"),
            {},
            {"normalize": {"rgb": {"mean": [0, 0, 0], "std": [1, 1, 1]}}},
            r"model\.normalize: given for rgb but not for ir",
        ),
        (("rgb",), {}, {"fusion": "single", "input_size": 100}, "multiple of 32"),
    ],
)
def test_a_recipe_that_gives_no_model_is_refused(
    modalities: tuple[str, ...], train: dict[str, Any], model: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build(modalities, train, **model)


@pytest.mark.parametrize(
    ("backbone", "tables", "expected"),
    [
        ("efficientnet_lite0", {}, (200 - 127) / 128),
        ("feathernet_a", {}, (200 - 127.5) / 127.5),
        ("efficientnet_lite0", {"rgb": {"mean": [0.2] * 3, "std": [0.1] * 3}}, (200 / 255 - 0.2) / 0.1),
        ("color_lbp", {"rgb": {"mean": [0.2] * 3, "std": [0.1] * 3}}, 200 / 255),
    ],
)
def test_the_normalisation_is_the_recipes_or_the_backbones(
    backbone: str, tables: dict[str, Any], expected: float
) -> None:
    model = {"backbone": backbone, "fusion": "single", "input_size": 64, "normalize": tables}
    recipe = structure({"modalities": ["rgb"], "model": model}, Recipe, registry(), "test")
    layer = build_model(recipe, registry()).preprocess["rgb"]
    result = layer(torch.full((1, 2, 2, 3), 200, dtype=torch.uint8))
    torch.testing.assert_close(result, torch.full((1, 3, 2, 2), expected))
