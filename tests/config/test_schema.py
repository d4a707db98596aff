"""The JSON schema says of recipes what loading them says."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from fas_core import ConfigError
from fas_core.config.load import load_recipe, named_recipes, read_mapping, to_plain, to_yaml
from fas_core.config.recipe import Recipe
from fas_core.config.schema import recipe_schema
from fas_core.config.structure import structure
from fas_core.descriptors import Loss
from fas_core.registry import registry


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = recipe_schema(registry())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", named_recipes(registry()))
def test_shipped_recipes_fit(validator: jsonschema.Draft202012Validator, name: str) -> None:
    validator.validate(read_mapping(named_recipes(registry())[name].path))
    made = load_recipe(name, registry())
    validator.validate(yaml.safe_load(to_yaml(to_plain(made, registry()))))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "extends: quickstart",
        "train: {lr: 0.1, optimizer: adamw}",
        "loss: focal",
        "loss: fas-core:focal",
        "loss: {name: focal, gamma: 2, alpha: [0.25, 0.75]}",
        "loss: {name: focal, alpha: null}",
        "data: {name: folder, root: /faces, modalities: [rgb]}",
        "model: {backbone: {name: feathernet_b, head: linear}}",
        "model: {backbone: {rgb: feathernet_a, depth: {name: feathernet_b}}}",
        "model: {normalize: {rgb: {mean: [0, 0.5, 1]}}}",
        "metrics: [acc, {name: tpr_at_fpr, fprs: [0.1]}]",
        "folds: subject:5",
        "folds: null",
        "data: {name: folder, held_out: {by: subject, folds: 5, fold: 2}}",
        "data: {name: folder, train_on_dev: true, root: null, held_out: null}",
        "model: {normalize: {}, pretrained: {}}",
        "model: {patches: null}",
    ],
)
def test_what_loads_fits(validator: jsonschema.Draft202012Validator, text: str) -> None:
    tree = yaml.safe_load(text)
    validator.validate(tree)
    assert structure({key: tree[key] for key in tree if key != "extends"}, Recipe, registry(), "recipe")


@pytest.mark.parametrize(
    "text",
    [
        "trian: {}",
        "train: {}",
        "model: {patches: {}}",
        "train: {lrr: 0.1}",
        "train: {epochs: 1.5}",
        "train: {epochs: '3'}",
        "train: {optimizer: sdg}",
        "modalities: rgb",
        "modalities: [3]",
        "augment: {crop_scale: [0.5]}",
        "augment: {crop_scale: [0.1, 0.5, 1]}",
        "loss: focall",
        "loss: {gamma: 2}",
        "loss: {name: focal, smoothing: 0.1}",
        "data: {name: folder, root: 3}",
        "loss: {name: focal, root: /x}",
        "model: {backbone: {rgb: nothing}}",
        "metrics: acc",
        "metrics: [nothing]",
    ],
)
def test_what_is_refused_does_not_fit(validator: jsonschema.Draft202012Validator, text: str) -> None:
    tree = yaml.safe_load(text)
    assert not validator.is_valid(tree)
    with pytest.raises(ConfigError):
        structure(tree, Recipe, registry(), "recipe")


def test_it_holds_every_plugins_components_and_their_defaults() -> None:
    schema = recipe_schema(registry())
    assert schema["properties"]["loss"] == {"$ref": "#/$defs/loss"}
    losses: dict[str, Any] = schema["$defs"]["loss"]
    names, *mappings = losses["anyOf"]
    assert set(names["enum"]) == registry().names(Loss)
    (focal,) = [item for item in mappings if "focal" in item["properties"]["name"]["enum"]]
    assert focal["properties"]["gamma"] == {"type": "number", "default": 3.0}
    assert focal["required"] == ["name"]
    assert schema["properties"]["train"]["properties"]["epochs"]["default"] == 10


def test_a_components_options_may_choose_a_component() -> None:
    texture = next(
        item
        for item in recipe_schema(registry())["$defs"]["backbone"]["anyOf"][1:]
        if "texture" in item["properties"]["name"]["enum"]
    )
    assert texture["properties"]["network"] == {"$ref": "#/$defs/backbone"}
