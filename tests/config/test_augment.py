"""The section `augment`: a list of augmentations, or the numbers of the published ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fas_core import ConfigError
from fas_core.component import Component
from fas_core.config.advice import describe_crop_mismatch
from fas_core.config.components import AugmentationChoice
from fas_core.config.load import change_recipe, load_recipe, to_plain, to_yaml
from fas_core.config.recipe import Augment, Recipe
from fas_core.config.schema import recipe_schema
from fas_core.config.structure import structure
from fas_core.registry import registry
from fas_plugins.augmentations.options import CropOptions, FlipOptions

LISTED = ["crop", {"name": "flip", "probability": 0.2}, {"name": "gain", "modalities": ["rgb"]}, "mix"]


def load(augment: Any, **changes: Any) -> Recipe:
    return load_recipe("quickstart", registry(), {"augment": augment, **changes})


def test_a_list_takes_the_place_of_the_numbers_and_has_all_options() -> None:
    recipe = load(LISTED)
    assert isinstance(recipe.augment, tuple)
    crop, flip, gain, _ = recipe.augment
    assert crop == AugmentationChoice("crop", CropOptions())
    assert flip == AugmentationChoice("flip", FlipOptions(0.2))
    assert gain.modalities == ("rgb",)
    assert [choice.name for choice in recipe.choices() if choice in recipe.augment] == [
        "crop",
        "flip",
        "gain",
        "mix",
    ]


@pytest.mark.parametrize("augment", [LISTED, [], {"flip": 0.2}, {"quality": 0.1, "mix": 0.5}])
def test_what_is_written_is_read_again(augment: Any) -> None:
    recipe = load(augment)
    text = to_yaml(to_plain(recipe, registry()))
    again = structure(yaml.safe_load(text), Recipe, registry(), "recipe")
    assert again.augment == recipe.augment
    jsonschema.validate(yaml.safe_load(text), recipe_schema(registry()))


def test_numbers_stay_numbers_in_a_run() -> None:
    plain = to_plain(load({"flip": 0.2}), registry())["augment"]
    assert plain == {
        "crop_scale": (0.5, 1.0),
        "crop_ratio": (0.75, 4 / 3),
        "flip": 0.2,
        "lighting": 0.1,
        "quality": 0.0,
        "mix": 0.0,
    }


def test_an_option_of_a_listed_one_is_changed_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "base.yaml"
    file.write_text("extends: quickstart\naugment: [crop, {name: flip, probability: 0.2}]\n")
    recipe = load_recipe(str(file), registry(), {"augment.crop.scale": [0.2, 0.4]})
    again = change_recipe(recipe, registry(), {"augment.flip.probability": 0.1})
    assert again.augment == (
        AugmentationChoice("crop", CropOptions((0.2, 0.4))),
        AugmentationChoice("flip", FlipOptions(0.1)),
    )


@pytest.mark.parametrize(
    ("augment", "problem"),
    [
        (["flip", "crop"], "augment[1].name: 'crop' crops the face: list it first, and once"),
        (["crop", "crop"], "augment[1].name: 'crop' crops the face: list it first, and once"),
        (["mix", "flip"], "augment[1].name: 'flip' changes single faces: list it before those that mix"),
        (
            [{"name": "crop", "modalities": ["rgb"]}],
            "augment[0].modalities: 'crop' is for all images: leave it out",
        ),
        ([{"name": "mix", "only": "live"}], "augment[0].only: 'mix' is for all images: leave it out"),
        ([{"name": "flip", "only": "fake"}], "augment[0].only: must be one of 'live', 'attack': 'fake'"),
        ([{"name": "flip", "probability": 2}], "augment[0].probability: must be <= 1: 2.0"),
        ([{"name": "flip", "propability": 1}], "augment[0].propability: unknown key (did you mean 'prob"),
        ([{"name": "flop"}], "augment[0].name: augmentation 'flop': no plugin provides it"),
        (["callable"], "augment[0].target: is required"),
        ([{"probability": 1}], "augment[0]: must name an augmentation, as NAME or {name: NAME, ...}"),
        ({"flipp": 0.5}, "augment.flipp: unknown key (did you mean 'flip'?)"),
        ({}, "augment: {} sets nothing: leave it out, or set some of its keys: crop_scale,"),
        ("crop", "augment: must be a list of augmentations, or a mapping of crop_scale, crop_ratio, flip,"),
    ],
)
def test_mistakes_are_named_with_their_path(augment: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"recipe quickstart: {problem}")):
        load(augment)


def test_all_mistakes_of_the_order_are_told_at_once() -> None:
    with pytest.raises(ConfigError, match="2 problems") as caught:
        load(["mix", "crop", {"name": "mix", "modalities": ["rgb"]}])
    assert [line.split(":")[0] for line in caught.value.problems] == [
        "augment[1].name",
        "augment[2].modalities",
    ]


@pytest.mark.parametrize("change", [{"augment.flip": 0.5}, {"augment": {"crop_scale": [0.5, 1]}}])
def test_numbers_are_no_change_of_a_list(change: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigError, match=r"^augment is a list here \(crop, flip, gain, mix\): change an opt"
    ):
        change_recipe(load(LISTED), registry(), change)


def test_an_absent_augmentation_of_a_run_is_kept() -> None:
    listed = ["crop", {"name": "rain", "drops": 3, "only": "live"}, "mix", "flip"]
    with pytest.raises(ConfigError, match=r"augment\[3\].name: 'flip' changes single faces"):
        structure({"augment": listed}, Recipe, registry(), "run", absent=(Component,))
    recipe = structure({"augment": listed[:-1]}, Recipe, registry(), "run", absent=(Component,))
    plain = to_plain(recipe, registry())
    assert plain["augment"][1] == {"name": "rain", "drops": 3, "only": "live"}
    again = structure(plain, Recipe, registry(), "run", absent=(Component,))
    assert to_plain(again, registry()) == plain


def test_crops_in_a_list_should_fit_the_patches() -> None:
    patches = {"model.patches": {"grid": 2, "share": 0.5}, "resize.crop": 1.0}
    message = describe_crop_mismatch(load(["crop"], **patches))
    assert message.startswith("augment.crop.scale [0.08, 1] does not fit model.patches: ")
    advised = re.search(r"--set 'augment\.crop\.scale=(\[.*?\])'", message)
    assert advised is not None
    scale = yaml.safe_load(advised[1])
    assert describe_crop_mismatch(load([{"name": "crop", "scale": scale}], **patches)) == ""
    assert describe_crop_mismatch(load(["flip"], **patches)) == ""


def test_the_default_is_the_published_one() -> None:
    assert Recipe().augment == Augment((0.08, 1.0), (3 / 4, 4 / 3), flip=0.5, lighting=0.1)
