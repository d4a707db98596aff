"""Recipes for notebooks: what is changed, in each way of writing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core import ConfigError, DataError, Recipe, load_recipe
from fas_core.config import load
from fas_core.registry import registry


@pytest.mark.parametrize(
    "overrides",
    [
        {"train": {"epochs": 2}, "loss": {"gamma": 1}, "modalities": ("rgb", "ir")},
        {"train.epochs": 2, "loss.gamma": 1, "modalities": ["rgb", "ir"]},
    ],
)
def test_changes_are_those_of_the_command(overrides: dict[str, object]) -> None:
    expected = load.load_recipe(
        "quickstart", registry(), load.parse_sets(["train.epochs=2", "loss.gamma=1", "modalities=[rgb,ir]"])
    )
    assert load_recipe("quickstart", **overrides) == expected
    assert load_recipe(load_recipe("quickstart"), **overrides) == expected


def test_the_default_is_that_of_the_command() -> None:
    assert isinstance(load_recipe(), Recipe)
    assert load_recipe() == load_recipe("quickstart")


def test_a_recipe_file_and_data_may_be_paths(recipe_file: Path, faces: Path, tmp_path: Path) -> None:
    recipe = load_recipe(recipe_file, data=faces)
    assert recipe == load_recipe(str(recipe_file))
    assert (recipe.data.name, recipe.data.root) == ("folder", faces)
    moved = load_recipe(recipe, data={"name": "synthetic", "root": tmp_path})
    assert (moved.data.name, moved.data.root) == ("synthetic", tmp_path)


def test_every_mistake_has_its_path() -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe("quickstart", train={"epochs": "two"}, loss={"gama": 1})
    assert len(caught.value.problems) == 2
    with pytest.raises(ConfigError, match="neither a shipped recipe nor a file"):
        load_recipe("quikstart")
    with pytest.raises(DataError, match="no-such-data"):
        load_recipe("quickstart", data="no-such-data")
