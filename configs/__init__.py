"""The recipes that ship with fas, one YAML file each, run by name: `fas train NAME`."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import RecipeFile, hookimpl


@hookimpl
def fas_recipes() -> Iterator[RecipeFile]:
    return RecipeFile.list_package("fas_configs")
