"""`fas drift OLD NEW`: whether a deployed model's scores have shifted, and its rejection rate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from fas_core.cli.options.output import output_options
from fas_core.cli.options.score_files import reading_options
from fas_core.console import console
from fas_core.errors import DataError, format_list

if TYPE_CHECKING:
    from fas_core.scores.files import Reading, ScoreFile
    from fas_core.scores.thresholds import Threshold
    from fas_plugins.commands.drift.drift import Drift

CANNOT_TELL, DRIFTED = 1, 3
FILE = click.Path(path_type=Path)


@click.command()
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option("--threshold", metavar="fixed:VALUE", help="What rejects; else what the files say.")
@reading_options
@click.option(
    "--by",
    type=click.Choice(("subject", "video", "sample")),
    help="What is independent; else the first of these that both files say of all rows.",
)
@click.option(
    "--significance",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="How likely a false alarm may be.",
)
@click.option(
    "--replicates",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Random divisions of the two files, and bootstrap replicates.",
)
@click.option("--fail-on-drift", is_flag=True, help="Exit with 3 when anything has clearly changed.")
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    old: Path,
    new: Path,
    threshold: str | None,
    reading: Reading,
    by: str | None,
    significance: float,
    replicates: int,
    fail_on_drift: bool,
) -> None:
    """Say whether the scores of NEW have shifted from those of OLD: two periods, or two cameras.

    Both are score files as `fas score` reads them, such as `fas predict --csv` writes; labels are not needed.

    The exit code is 0; with --fail-on-drift 3 when anything has clearly changed, and 1 when there is too
    little to tell.
    """
    from fas_core.inference.scores_of import names_of
    from fas_core.scores.files import read_scores
    from fas_core.scores.thresholds import parse_policy
    from fas_plugins.commands.drift.drift import find_drift

    if threshold is not None:
        parse_policy(threshold)
    names = names_of([old, new])
    files = [read_scores(path, reading, need_labels=False) for path in (old, new)]
    for file in files:
        console.info(file.description)
    cut = _threshold(threshold, files)
    if cut is None:
        console.warn("no threshold, so no rejection rate: give --threshold fixed:VALUE")
    found = find_drift(
        files[0].table,
        files[1].table,
        cut,
        names=(names[0], names[1]),
        by=by,
        significance=significance,
        replicates=replicates,
    )
    _show(found, files)
    if fail_on_drift and (found.found or not found.decidable):
        ctx.exit(DRIFTED if found.decidable else CANNOT_TELL)


def _threshold(policy: str | None, files: list[ScoreFile]) -> Threshold | None:
    """As told, else the one that the files say they were judged at; None where they say none."""
    from fas_core.scores.thresholds import Threshold

    if policy is not None:
        return files[0].threshold(policy, None, None)
    stated = sorted({value for file in files for value in file.recorded_thresholds})
    if len(stated) > 1:
        said = format_list([f"{value:g}" for value in stated])
        raise DataError(f"the files say {len(stated)} thresholds ({said}): give --threshold fixed:VALUE")
    return Threshold(stated[0], f"fixed:{stated[0]:g}", "given") if stated else None


def _show(found: Drift, files: list[ScoreFile]) -> None:
    from fas_core.evaluation.text_histogram import PERIODS, text_histogram
    from fas_core.scores.rates import ErrorRates
    from fas_plugins.commands.drift.tables import drift_tables, verdict

    for table in drift_tables(found):
        console.table(table)
    rates = ErrorRates.of(files[0].table.scores, files[1].table.scores, {})
    drawn = text_histogram(
        rates, found.threshold, series=PERIODS, name="both", width=console.width, blocks=console.blocks
    )
    if drawn is not None:
        console.table(drawn)
    said = verdict(found)
    console.info(said)
    if console.json:
        document = {"scores": [str(file.path) for file in files]}
        columns = {"columns": [dict(file.columns) for file in files]}
        console.document(document | columns | found.to_json() | {"verdict": said})
