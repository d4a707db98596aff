"""Recipes for notebooks: by name, by file, or one that is loaded already, each with changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fas_core.config import load
from fas_core.config.load import DEFAULT
from fas_core.config.recipe import Recipe
from fas_core.data.open import identify_dataset
from fas_core.registry import registry


def load_recipe(recipe: str | Path | Recipe = DEFAULT, **overrides: Any) -> Recipe:
    """Return a recipe, with some of it changed.

    Args:
        recipe: name of a recipe (`fas config list`), a YAML file, or a recipe.
        overrides: what is changed, by the recipe's keys: `loss="focal"`, or a mapping for some keys of a
            section, `train={"epochs": 2}`; also by a dotted key, `**{"train.epochs": 2}`. `data` is a data
            set as `--data` takes it (NAME, NAME:ROOT, a folder, a manifest), or a mapping as in a recipe.

    Raises:
        ConfigError: there is no such recipe, or a value is not valid; `problems` has a line for each.
        DataError: no data set fits `data`.

    Example:
        >>> load_recipe("quickstart", train={"epochs": 2}).train.epochs
        2
    """
    changes = resolve_overrides(overrides)
    if isinstance(recipe, Recipe):
        return load.change_recipe(recipe, registry(), changes)
    return load.load_recipe(str(recipe), registry(), changes)


def resolve_overrides(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes of a recipe as a recipe file has them, a data set by name and root."""
    changes = {key: _to_plain(value) for key, value in overrides.items()}
    if isinstance(data := changes.get("data"), str):
        component, root = identify_dataset(data, registry())
        changes["data"] = {"name": registry().name_of(component)} | ({"root": str(root)} if root else {})
    return changes


def _to_plain(value: Any) -> Any:
    """Return a value as YAML has it: paths are text, tuples are lists."""
    if isinstance(value, Mapping):
        return {str(key): _to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
