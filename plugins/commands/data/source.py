"""The data set that a `fas data` command works on, with its options from `--set`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fas_core.cli import panels
from fas_core.cli.command import option
from fas_core.registry import registry

if TYPE_CHECKING:
    from fas_core.contracts import DatasetReader

set_option = option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    panel=panels.DATA,
    help="Set an option of the data set, e.g. protocol=official; may be repeated.",
)


def open_source(dataset: str, sets: tuple[str, ...]) -> DatasetReader:
    """Open a data set as the command line names it; raises as `fas_core.data.open.open_dataset`."""
    from fas_core.config.load import parse_sets
    from fas_core.data.open import open_dataset

    return open_dataset(dataset, parse_sets(sets), registry())
