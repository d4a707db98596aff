"""`fas config convert`: a published cfgs/*.yaml as a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from fas_core.atomic import replacing
from fas_core.cli.options.output import output_options
from fas_core.cli.options.recipe import recipe_options
from fas_core.console import console
from fas_core.errors import ConfigError
from fas_core.registry import registry
from fas_plugins.commands.importing.convert import convert


@click.command()
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD.yaml")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="NEW.yaml", help="Unless printed.")
@recipe_options
@output_options
def command(old: Path, output: Path | None, overrides: dict[str, Any]) -> None:
    """A published cfgs/*.yaml as a recipe; the flags are those of its command."""
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
