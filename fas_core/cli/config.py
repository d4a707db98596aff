"""`fas config`: recipes, resolved and described."""

from __future__ import annotations

from typing import Any

import rich_click as click

from fas_core.cli.group import CommandGroup
from fas_core.cli.options.output import output_options
from fas_core.cli.options.recipe import recipe_options
from fas_core.config.load import DEFAULT, load_recipe, read_summary, shipped_recipes, to_plain, to_yaml
from fas_core.console import Table, console
from fas_core.registry import registry


@click.group(cls=CommandGroup, prefix="config ")
def command() -> None:
    """Show, list and convert recipes."""


@command.command()
@click.argument("recipe", default=DEFAULT)
@recipe_options
@output_options
def show(recipe: str, overrides: dict[str, Any]) -> None:
    """The whole of RECIPE with every default spelled out; a recipe itself."""
    found = registry()
    tree = to_plain(load_recipe(recipe, found, overrides), found)
    if console.json:
        console.document(tree)
    else:
        console.info(to_yaml(tree).rstrip())


@command.command("list")
@output_options
def list_recipes() -> None:
    """The recipes that ship with fas."""
    found = {name: read_summary(path) for name, path in shipped_recipes().items()}
    if console.json:
        console.document(found)
    else:
        console.table(Table("", ("recipe", "summary"), list(found.items()), left=(0, 1)))


@command.command()
@output_options
def schema() -> None:
    """The JSON schema of recipes, with every installed plugin's options."""
    from fas_core.config.schema import recipe_schema

    console.document(recipe_schema(registry()))
