"""The recipe's classes: derived values and the options that all components of a kind have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from fas_core.config.components import DatasetChoice, HeldOut, LossChoice
from fas_core.config.recipe import ModelConfig, Patches, Recipe
from fas_core.config.structure import structure
from fas_core.errors import ConfigError
from fas_core.registry import registry


@pytest.mark.parametrize(
    ("input_size", "patches", "side"),
    [
        (224, None, 224),
        (128, Patches(share=0.5), 256),
        (100, Patches(share=0.3), 333),
        (64, Patches(1, 1.0), 64),
    ],
)
def test_a_face_is_as_large_as_its_patches_need(input_size: int, patches: Patches | None, side: int) -> None:
    assert ModelConfig(input_size=input_size, patches=patches).face_size == side


@pytest.mark.parametrize("model", [{"input_size": 8193}, {"input_size": 64, "patches": {"share": 1e-300}}])
def test_a_face_is_no_larger_than_images_are(model: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="8192"):
        structure({"model": model}, Recipe, registry(), "test")


def test_options_that_every_data_set_has() -> None:
    options = DatasetChoice.common_options()
    assert list(options) == ["root", "train_on_dev", "held_out"]
    assert options["root"] == Path | None
    assert options["held_out"] == HeldOut | None
    assert LossChoice.common_options() == {}


def test_every_key_has_a_default_and_nothing_can_be_changed() -> None:
    recipe = Recipe()
    with pytest.raises(AttributeError):
        recipe.folds = "subject:3"  # type: ignore[misc]


def test_a_fold_is_counted_from_1_to_the_number_of_folds() -> None:
    assert HeldOut("subject", folds=3, fold=3).fold == 3
    for fold in (0, 4):
        with pytest.raises(ValueError, match="'fold' must be"):
            HeldOut("subject", folds=3, fold=fold)


def test_a_recipe_is_described(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    assert make_recipe(tmp_path).describe() == "feathernet_a, single of rgb at 64 px, on folder"
    backbones = {
        modality: make_recipe(tmp_path, {"model": {"backbone": name}}).model.backbone
        for modality, name in (("rgb", "feathernet_b"), ("ir", "feathernet_a"))
    }
    recipe = make_recipe(tmp_path, {"modalities": ["rgb", "ir"], "model": {"fusion": "concat_linear"}})
    described = evolve(recipe, model=evolve(recipe.model, backbone=backbones)).describe()
    assert described == "feathernet_a + feathernet_b, concat_linear of rgb, ir at 64 px, on folder"


def test_components_in_the_options_of_others_are_chosen_too() -> None:
    tree = {
        "model": {"backbone": {"name": "texture", "network": "mobilenetv2"}},
        "train": {"schedule": {"name": "warmup", "schedule": {"name": "warmup", "schedule": "cosine"}}},
    }
    chosen = [choice.name for choice in structure(tree, Recipe, registry(), "recipe").choices()]
    assert chosen[1:8] == ["texture", "mobilenetv2", "concat_linear", "focal", "sgd", "warmup", "warmup"]
    assert chosen[8] == "cosine"
