"""`fas runs`: list runs, and compare two of them."""

from __future__ import annotations

from pathlib import Path

import click

from fas_core.cli.candidates import complete_run
from fas_core.cli.command import option
from fas_core.cli.group import CommandGroup
from fas_core.cli.options import PATH, output_options
from fas_core.console import console


@click.group(
    cls=CommandGroup,
    prefix="runs ",
    examples="""
        # all runs, the lowest EER first
        fas runs list --sort eer
        # what two runs differ in
        fas runs diff runs/first runs/second
        # runs that were stopped
        fas runs list --filter state=stopped
    """,
)
def command() -> None:
    """List runs, and compare two of them."""


@command.command(
    "list",
    examples="""
        # all runs in the folder runs
        fas runs list
        # the trials of a study, the lowest EER first
        fas runs list runs/quickstart-tune --sort eer
        # runs with a tag and a low EER
        fas runs list --filter tags=paper --filter 'eer<=5%'
    """,
)
@click.argument("folder", type=PATH, default=Path("runs"), metavar="[DIR]")
@option(
    "--filter",
    "filters",
    multiple=True,
    metavar="KEY=VALUE",
    panel="Rows",
    help="List only runs with this value: of a column or of the recipe, e.g. state=stopped, 'eer<=5%', "
    "'train.lr>0.01', tags=paper; may be repeated.",
)
@option("--sort", metavar="KEY", panel="Rows", help="Sort by this column or key of the recipe, e.g. eer.")
@option("--reverse", is_flag=True, panel="Rows", help="Sort the other way round.")
@output_options
def list_command(folder: Path, filters: tuple[str, ...], sort: str | None, reverse: bool) -> None:
    """List every run below DIR (by default runs), also those of groups: folds, seeds, sub-protocols, trials.

    EER and ACER are those on dev after the epoch of the lowest EER. A run that is damaged is a row with the
    reason.
    """
    from fas_core.registry import registry
    from fas_plugins.commands.runs.find_runs import list_runs
    from fas_plugins.commands.runs.select_runs import Filter, select_runs, sort_runs
    from fas_plugins.commands.runs.tables import runs_table

    conditions = [Filter.parse(text) for text in filters]
    every = list_runs(folder, registry())
    rows = select_runs(every, conditions)
    if sort is not None:
        rows = sort_runs(rows, sort, reverse=reverse)
    elif reverse:
        rows.reverse()
    if console.json:
        console.document({"folder": str(folder), "runs": [row.to_json() for row in rows]})
    elif rows:
        console.table(runs_table(rows))
    else:
        console.info(f"{folder}: {f'none of {len(every)} runs is listed' if every else 'no runs'}")


@command.command(
    examples="""
        # two runs
        fas runs diff runs/first runs/second
        # two folds
        fas runs diff runs/quickstart/fold-1 runs/quickstart/fold-2
        # for a program
        fas runs diff runs/first runs/second --json
    """,
)
@click.argument("a", type=PATH, metavar="A", shell_complete=complete_run)
@click.argument("b", type=PATH, metavar="B", shell_complete=complete_run)
@output_options
def diff(a: Path, b: Path) -> None:
    """Print what differs between the runs A and B: recipe, data, environment, and figures of each split."""
    from fas_core.inference.scores_of import names_of
    from fas_core.registry import registry
    from fas_plugins.commands.runs.compare_runs import compare_runs, open_run
    from fas_plugins.commands.runs.tables import comparison_tables, describe_agreement

    names = names_of((a, b))
    comparison = compare_runs(open_run(a, registry()), open_run(b, registry()))
    if console.json:
        console.document({"a": str(a), "b": str(b), **comparison.to_json()})
        return
    for table in comparison_tables(comparison, names):
        console.table(table)
    for line in describe_agreement(comparison):
        console.result(line)
