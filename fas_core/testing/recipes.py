"""The contract check of recipes: see `fas_core.testing.checks`."""

from __future__ import annotations

from fas_core.config.load import load_recipe
from fas_core.package_files import RecipeFile
from fas_core.registry import registry
from fas_core.testing.rules import rule
from fas_core.testing.support import explain


@rule("valid recipe")
def check_recipe(component: str | RecipeFile) -> None:
    """Check that a recipe and those that it extends can be read, and name installed components and options.

    A descriptor need not be installed.
    """
    plugins = registry()
    descriptor = plugins.find(RecipeFile, component) if isinstance(component, str) else component
    with explain(descriptor.name, f"loading {descriptor.target}", strict=True):
        recipe = load_recipe(str(descriptor.path), plugins)
    for choice in recipe.metrics:
        assert not choice.absence, f"{descriptor.name}: {choice.absence}"
