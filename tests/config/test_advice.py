"""Warnings about recipes whose settings do not fit each other."""

from __future__ import annotations

import pytest

from fas_core.config.advice import describe_crop_mismatch
from fas_core.config.load import load_recipe, named_recipes
from fas_core.config.recipe import Augment, ModelConfig, Patches, Recipe
from fas_core.records.model_input import Resize
from fas_core.registry import registry


def recipe(share: float, crop_scale: tuple[float, float], crop: float = 1.0) -> Recipe:
    model = ModelConfig(patches=Patches(grid=2, share=share))
    return Recipe(model=model, augment=Augment(crop_scale=crop_scale), resize=Resize(crop))


@pytest.mark.parametrize(
    ("share", "crop_scale"),
    [
        (0.5, (0.1, 0.4)),
        (0.5, (0.25, 0.25)),  # a patch of half the side has a quarter of the area
        (0.5, (0.1, 0.9)),  # on average exactly twice that
        (1.0, (0.08, 1.0)),
        (0.1, (0.005, 0.02)),
    ],
)
def test_crops_of_the_area_of_a_patch_fit(share: float, crop_scale: tuple[float, float]) -> None:
    assert describe_crop_mismatch(recipe(share, crop_scale)) == ""


@pytest.mark.parametrize(
    ("share", "crop_scale"),
    [
        (0.5, (0.3, 0.4)),  # all larger
        (0.5, (0.1, 0.2)),  # all smaller
        (0.5, (0.08, 1.0)),  # the default: on average more than twice as large
        (0.5, (0.1, 0.91)),
    ],
)
def test_other_crops_do_not(share: float, crop_scale: tuple[float, float]) -> None:
    message = describe_crop_mismatch(recipe(share, crop_scale))
    assert message.startswith(f"augment.crop_scale [{crop_scale[0]:g}, {crop_scale[1]:g}] does not fit")
    assert "0.25 of the image's area" in message
    assert "augment.crop_scale=[0.12, 0.38]" in message
    assert "\n" not in message


def test_patches_are_of_the_central_square() -> None:
    """Half a side of the central half is a quarter of the image's side, 1/16 of its area."""
    assert describe_crop_mismatch(recipe(0.5, (0.05, 0.1), crop=0.5)) == ""
    assert "0.0625 of the image" in describe_crop_mismatch(recipe(0.5, (0.1, 0.4), crop=0.5))


def test_the_advice_is_followed_by_itself() -> None:
    assert describe_crop_mismatch(recipe(0.5, (0.12, 0.38))) == ""


def test_without_patches_any_crops_fit() -> None:
    assert describe_crop_mismatch(Recipe(augment=Augment(crop_scale=(0.01, 0.02)))) == ""


@pytest.mark.parametrize("name", named_recipes(registry()))
def test_shipped_recipes_fit(name: str) -> None:
    assert describe_crop_mismatch(load_recipe(name, registry())) == ""
