"""`fas config convert`: write a published cfgs/*.yaml as a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fas_core.atomic import replacing
from fas_core.cli import panels
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import output_options
from fas_core.cli.recipe_options import recipe_options
from fas_core.console import console
from fas_core.errors import ConfigError
from fas_core.registry import registry


@click.command(
    cls=FasCommand,
    examples="""
        # as a recipe on the screen
        fas config convert cfgs/FeatherNetB-32.yaml
        # with the flags of its training command, as a file
        fas config convert cfgs/FeatherNetB-32.yaml --fl-gamma 3 -o mine.yaml
        # of infrared images
        fas config convert old.yaml --set 'modalities=[ir]' -o ir.yaml
    """,
)
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD.yaml")
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="NEW.yaml",
    panel=panels.OUTPUT,
    help="File to write; by default the recipe is printed.",
)
@recipe_options
@output_options
def command(old: Path, output: Path | None, overrides: dict[str, Any]) -> None:
    """Convert a published cfgs/*.yaml into a recipe; pass the flags of its training command too."""
    from fas_plugins.commands.importing.convert import convert_config

    converted = convert_config(old, registry(), overrides)
    if converted.unknown:
        console.warn(f"{old}: unknown, and left out: {', '.join(converted.unknown)}")
    if "assumed" in converted.reason:
        console.warn(
            f"{old}: names no modality: {converted.modality} is assumed, as the published program had it "
            "(--set 'modalities=[ir]' changes it)"
        )
    text = converted.to_yaml(old.name)
    if output is not None:
        if output.exists():
            raise ConfigError(f"{output}: exists already: choose another name, or remove it")
        with replacing(output) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if console.json:
        left_out = {"elsewhere": converted.elsewhere, "unknown": converted.unknown}
        modality = {"name": converted.modality, "reason": converted.reason}
        console.document({"recipe": converted.tree, "modality": modality, "left_out": left_out})
    else:
        text = f"{output}: written, modality {converted.modality}" if output else text.rstrip()
        console.lines(text)
