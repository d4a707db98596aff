"""`fas drift OLD NEW`: has a deployed model's distribution of scores, or its rejection rate, shifted?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fas_core.cli import panels
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import FloatRange, fixed_reject_option, output_options
from fas_core.cli.reading_options import reading_options
from fas_core.console import console
from fas_core.errors import DataError, format_list

if TYPE_CHECKING:
    from fas_core.scores.files import Reading, ScoreFile
    from fas_core.scores.thresholds import Threshold
    from fas_plugins.commands.drift.result import Drift

CANNOT_TELL, DRIFTED = 1, 3
FILE = click.Path(path_type=Path)


@click.command(
    cls=FasCommand,
    examples="""
        # two months of scores
        fas drift march.csv may.csv
        # with a rate of rejection, and people as what is independent
        fas drift march.csv may.csv --threshold fixed:0.5 --by subject
        # for a job that is to fail
        fas drift march.csv may.csv --fail-on-drift --json
    """,
)
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@option(
    "--threshold",
    metavar="fixed:VALUE",
    panel=panels.VERDICTS,
    help="Threshold below which a sample is rejected; by default the one in the files.",
)
@fixed_reject_option
@reading_options
@option(
    "--by",
    type=click.Choice(("subject", "video", "sample")),
    panel="Test",
    help="What counts as independent; by default the first of these that is known for all rows.",
)
@option(
    "--significance",
    type=FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    panel="Test",
    help="Accepted chance of a false alarm.",
)
@option(
    "--replicates",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    panel="Test",
    help="Random divisions of the permutation test, and bootstrap replicates.",
)
@option(
    "--fail-on-drift",
    is_flag=True,
    panel=panels.OUTPUT,
    help="Exit with code 3 when anything has clearly changed.",
)
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    old: Path,
    new: Path,
    threshold: str | None,
    reject: str | None,
    reading: Reading,
    by: str | None,
    significance: float,
    replicates: int,
    fail_on_drift: bool,
) -> None:
    """Tell whether the scores of NEW have shifted from those of OLD: two periods, or two cameras.

    Both are score files as for `fas score`, for example of `fas predict --csv`; labels are not needed.

    The exit code is 0. With --fail-on-drift it is 3 when anything has clearly changed, and 1 when there are
    too few samples to tell.
    """
    from fas_core.inference.scores_of import names_of
    from fas_core.scores.files import read_scores
    from fas_core.scores.rejection import fit_reject
    from fas_core.scores.thresholds import parse_policy
    from fas_plugins.commands.drift.drift import find_drift

    if threshold is not None:
        parse_policy(threshold)
    names = names_of([old, new])
    files = [read_scores(path, reading, need_labels=False) for path in (old, new)]
    for file in files:
        console.info(file.description)
    limit = _choose_threshold(threshold, files)
    if limit is not None and reject is not None:
        limit = limit.with_reject(fit_reject(reject, limit.value, None, "dev"))
    if limit is None:
        console.warn("no threshold, so no rejection rate: give --threshold fixed:VALUE")
    drift = find_drift(
        files[0].table,
        files[1].table,
        limit,
        names=(names[0], names[1]),
        by=by,
        significance=significance,
        replicates=replicates,
    )
    _show(drift, files)
    if fail_on_drift and (drift.detected or not drift.decidable):
        ctx.exit(DRIFTED if drift.decidable else CANNOT_TELL)


def _choose_threshold(policy: str | None, files: list[ScoreFile]) -> Threshold | None:
    """Return the threshold of the policy, else the one in the files; None where there is none.

    Raises:
        DataError: the files contain several thresholds, or the policy needs labels.
    """
    from fas_core.scores.thresholds import Threshold

    if policy is not None:
        return files[0].threshold(policy, None, None)
    values = sorted({value for file in files for value in file.recorded_thresholds})
    if len(values) > 1:
        text = format_list([f"{value:g}" for value in values])
        raise DataError(f"the files contain {len(values)} thresholds ({text}): give --threshold fixed:VALUE")
    return Threshold(values[0], f"fixed:{values[0]:g}", "given") if values else None


def _show(drift: Drift, files: list[ScoreFile]) -> None:
    """Print the tables, the histogram and the sentence; or the JSON document."""
    from fas_core.evaluation.text_histogram import PERIODS, text_histogram
    from fas_core.scores.rates import ErrorRates
    from fas_plugins.commands.drift.tables import describe_drift, drift_tables

    for table in drift_tables(drift):
        console.table(table)
    rates = ErrorRates.of(files[0].table.scores, files[1].table.scores, {})
    histogram = text_histogram(
        rates, drift.threshold, series=PERIODS, name="both", width=console.width, blocks=console.blocks
    )
    if histogram is not None:
        console.table(histogram)
    verdict = describe_drift(drift)
    console.result(verdict)
    if console.json:
        document = {"scores": [str(file.path) for file in files]}
        columns = {"columns": [dict(file.columns) for file in files]}
        console.document(document | columns | drift.to_json() | {"verdict": verdict})
