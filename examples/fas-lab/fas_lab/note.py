"""`fas runs note`: add a note to a run."""

from __future__ import annotations

from pathlib import Path

import click

from fas_core import FasError
from fas_core.cli.command import FasCommand
from fas_core.cli.options import output_options
from fas_core.console import console


@click.command(
    cls=FasCommand,
    examples="""
        # what the paper takes
        fas runs note runs/quickstart "for the paper"
        # all notes of a run, as JSON
        fas runs note runs/quickstart "and the talk" --json
    """,
)
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.argument("text")
@output_options
def note(run: Path, text: str) -> None:
    """Add TEXT to the notes of RUN, the file notes.txt in its folder."""
    if not (run / "recipe.yaml").is_file():
        raise FasError(f"{run}: no run: give a folder that `fas train` made")
    path = run / "notes.txt"
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"{text}\n")
    notes = path.read_text(encoding="utf-8").splitlines()
    console.result(f"{len(notes)} notes in {path}")
    if console.json:
        console.document({"run": str(run), "notes": notes})
