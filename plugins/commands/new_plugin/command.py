"""`fas plugins new`: write a distribution with a plugin, to start from."""

from __future__ import annotations

from pathlib import Path

import click

from fas_core.cli import panels
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import PATH, output_options
from fas_core.console import console
from fas_core.descriptors import KINDS
from fas_plugins.commands.new_plugin.project import write_project


@click.command(
    cls=FasCommand,
    examples="""
        # a loss
        fas plugins new soft-hinge --kind loss
        # a backbone, in a folder of plugins
        fas plugins new tiny-net --kind backbone --into plugins
        # a further command of `fas`
        fas plugins new tally --kind command
    """,
)
@click.argument("name")
@option(
    "--kind", type=click.Choice(list(KINDS)), required=True, panel="Plugin", help="What the plugin provides."
)
@option(
    "--into",
    type=PATH,
    default=Path(),
    metavar="FOLDER",
    panel=panels.OUTPUT,
    help="Folder to write the distribution's folder into; by default the current one.",
)
@output_options
def command(name: str, kind: str, into: Path) -> None:
    """Write a distribution with one component, called NAME, that works as it is.

    It has the entry point, the component, its options, and tests that check its contract. Replace what the
    component does by your own.
    """
    folder, files = write_project(name, kind, into)
    if console.json:
        console.document({"folder": str(folder), "files": [path.as_posix() for path in files]})
        return
    console.info(f"{folder}:")
    for path in files:
        console.info(f"  {path.as_posix()}")
    console.info(f"next: pip install -e '{folder}[test]' && pytest {folder}")
