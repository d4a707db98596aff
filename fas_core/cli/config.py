"""`fas config`: recipes, resolved and described."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from fas_core import recipes
from fas_core.cli.options import output_options
from fas_core.cli.recipe_options import recipe_options
from fas_core.console import Table, console
from fas_core.errors import ConfigError
from fas_core.plugins import registry


@click.group()
def command() -> None:
    """Look at recipes."""


@command.command()
@click.argument("recipe", default=recipes.DEFAULT)
@recipe_options
@output_options
def show(recipe: str, overrides: dict[str, Any]) -> None:
    """The whole of RECIPE with every default spelled out; a recipe itself."""
    found = registry()
    tree = recipes.plain(recipes.load(recipe, found, overrides), found)
    if console.json:
        console.document(tree)
    else:
        console.info(recipes.to_yaml(tree).rstrip())


@command.command("list")
@output_options
def list_recipes() -> None:
    """The recipes that ship with fas."""
    found = {name: recipes.summary(path) for name, path in recipes.shipped().items()}
    if console.json:
        console.document(found)
    else:
        console.table(Table("", ("recipe", "summary"), list(found.items()), left=(0, 1)))


@command.command()
@output_options
def schema() -> None:
    """The JSON schema of recipes, with every installed plugin's options."""
    from fas_core.schema import recipe_schema

    console.document(recipe_schema(registry()))


@command.command("convert")
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD.yaml")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="NEW.yaml", help="Unless printed.")
@recipe_options
@output_options
def convert_file(old: Path, output: Path | None, overrides: dict[str, Any]) -> None:
    """A published cfgs/*.yaml as a recipe; the flags are those of its command."""
    from fas_core.atomic import replacing
    from fas_core.convert import convert

    made = convert(old, registry(), overrides)
    if made.unknown:
        console.warn(f"{old}: unknown, and left out: {', '.join(made.unknown)}")
    if output is not None:
        if output.exists():
            raise ConfigError(f"{output}: is there already: choose another name, or remove it")
        with replacing(output) as temporary:
            temporary.write_text(made.to_yaml(old.name), encoding="utf-8")
    if console.json:
        left_out = {"elsewhere": made.elsewhere, "unknown": made.unknown}
        console.document({"recipe": made.tree, "left_out": left_out})
    else:
        console.info(f"{output}: written" if output else made.to_yaml(old.name).rstrip())
