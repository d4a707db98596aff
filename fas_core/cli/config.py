"""`fas config`: show recipes with all their values, list them, and print their JSON schema."""

from __future__ import annotations

from typing import Any

import click

from fas_core.cli.candidates import complete_recipe
from fas_core.cli.group import CommandGroup
from fas_core.cli.options import output_options
from fas_core.cli.recipe_options import recipe_options
from fas_core.config.advice import describe_crop_mismatch
from fas_core.config.load import DEFAULT, load_recipe, named_recipes, to_plain, to_yaml
from fas_core.console import console
from fas_core.registry import registry
from fas_core.text_table import Table


@click.group(
    cls=CommandGroup,
    prefix="config ",
    examples="""
        # which recipes there are
        fas config list
        # every value of one of them
        fas config show feathernet-b-32
        # a recipe of one's own to start from
        fas config show quickstart > mine.yaml
    """,
)
def command() -> None:
    """Show, list and convert recipes."""


@command.command(
    examples="""
        # the recipe that `fas train` takes by default
        fas config show
        # a recipe with a value changed, as a file
        fas config show quickstart --set train.lr=0.02 > mine.yaml
        # a recipe on other data: is everything in it right?
        fas config show nuaa-feathernet-b --data faces --epochs 20
    """,
)
@click.argument("recipe", default=DEFAULT, shell_complete=complete_recipe)
@recipe_options
@output_options
def show(recipe: str, overrides: dict[str, Any]) -> None:
    """Print RECIPE with every default and override; the output is a recipe file."""
    loaded = load_recipe(recipe, registry(), overrides)
    if warning := describe_crop_mismatch(loaded):
        console.warn(warning)
    tree = to_plain(loaded, registry())
    if console.json:
        console.document(tree)
    else:
        console.lines(to_yaml(tree).rstrip())


@command.command(
    "list",
    examples="""
        # names and summaries
        fas config list
        # those of several modalities
        fas config list | grep fusion
        # for a program
        fas config list --json
    """,
)
@output_options
def list_recipes() -> None:
    """List the recipes that fas and other plugins ship, and whose each is."""
    recipes = named_recipes(registry())
    if console.json:
        console.document({name: recipe.summary for name, recipe in recipes.items()})
        return
    rows = [(name, str(recipe.provider or ""), recipe.summary) for name, recipe in recipes.items()]
    console.table(Table("", ("recipe", "from", "summary"), rows, left=range(3)))


@command.command(
    examples="""
        # all keys with types, ranges and defaults
        fas config schema
        # for an editor that checks YAML files
        fas config schema > recipe.schema.json
        # without the options of a plugin
        fas --disable-plugin trackers config schema
    """,
)
@output_options
def schema() -> None:
    """Print the JSON schema of recipes, with every installed plugin's options."""
    from fas_core.config.schema import recipe_schema

    console.document(recipe_schema(registry()))
