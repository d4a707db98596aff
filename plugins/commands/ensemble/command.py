"""`fas ensemble`: combine several systems into one by their scores, and evaluate it beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fas_core.cli import panels
from fas_core.cli.candidates import complete_model
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import (
    evaluation_workers_option,
    output_options,
    replicates_option,
    threshold_option,
)
from fas_core.cli.reading_options import reading_options
from fas_core.console import console
from fas_core.errors import FasError

if TYPE_CHECKING:
    from fas_core.scores.files import Reading
    from fas_plugins.commands.ensemble.combine import CombinedScores

FILE = click.Path(path_type=Path)


class EnsembleCommand(FasCommand):
    """Reads `--dev A B C` as `--dev A --dev B --dev C`: click's options take a fixed number of values."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        expanded: list[str] = []
        option = ""
        for arg in args:
            if arg.startswith("-"):
                option = arg
            elif option == "--dev" and expanded[-1] != "--dev":
                expanded.append("--dev")
            expanded.append(arg)
        return super().parse_args(ctx, expanded)


@click.command(
    cls=EnsembleCommand,
    examples="""
        # the mean of three runs
        fas ensemble runs/a runs/b runs/c
        # weights that are fitted on dev; scores and rule in files
        fas ensemble runs/a runs/b --rule weighted -o both.csv
        # that rule on new score files
        fas ensemble new-a.csv new-b.csv --rule both.json -o new.csv
    """,
)
@click.argument(
    "members",
    type=FILE,
    nargs=-1,
    required=True,
    metavar="RUN|SCORES|MODEL.onnx ...",
    shell_complete=complete_model,
)
@option(
    "--dev",
    type=FILE,
    multiple=True,
    metavar="SCORES ...",
    panel=panels.SCORE_FILES,
    help="Dev scores to fit rule and thresholds on: a file for each member, in their order. "
    "Runs use their own unless given.",
)
@option(
    "--labels",
    type=FILE,
    metavar="LIST",
    panel=panels.SCORE_FILES,
    help="Labels of score files that have none.",
)
@option(
    "--dev-labels",
    type=FILE,
    metavar="LIST",
    panel=panels.SCORE_FILES,
    help="Labels of --dev files that have none.",
)
@option(
    "--rule",
    default="mean",
    show_default=True,
    metavar="RULE",
    panel=panels.VERDICTS,
    help="How scores are combined: mean, or fitted on dev: weighted, stacking, published; "
    "or the OUT.json of an earlier -o, applied unchanged.",
)
@option(
    "--split",
    default="test",
    show_default=True,
    panel=panels.DATA,
    help="Split of runs and models to combine: train, dev or test.",
)
@threshold_option
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT.csv",
    panel=panels.OUTPUT,
    help="Write the ensemble's scores (CSV or Parquet), and its fitted rule and thresholds to OUT.json.",
)
@replicates_option
@evaluation_workers_option
@reading_options
@output_options
def command(
    members: tuple[Path, ...],
    dev: tuple[Path, ...],
    labels: Path | None,
    dev_labels: Path | None,
    rule: str,
    split: str,
    threshold: str | None,
    output: Path | None,
    replicates: int,
    workers: int,
    reading: Reading,
) -> None:
    """Combine the scores of several systems into one; best are a few systems whose errors differ.

    The rule and the thresholds are fitted on dev scores. Labelled scores are evaluated, each member beside
    the ensemble; without labels the command writes scores only. A sample for which a member has no score
    gets none.
    """
    from fas_plugins.commands.ensemble.agreement import agreement_table
    from fas_plugins.commands.ensemble.combine import combine_scores
    from fas_plugins.commands.ensemble.members import ScoreSources

    if output is not None and output.suffix == ".json":
        raise FasError(f"{output}: rule and thresholds are written there: give -o OUT.csv or OUT.parquet")
    sources = ScoreSources(members, split, dev, labels, dev_labels, workers, reading)
    combined = combine_scores(sources, rule, threshold)
    document = combined.to_json()
    console.info(combined.ensemble.rule.describe(combined.members.names))
    if output is not None:
        document |= _write(combined, output)
    console.table(agreement_table(combined.agreements))
    if combined.scores.is_labelled():
        document |= _evaluate(combined, replicates)
    else:
        advice = "" if output else "; give -o OUT.csv"
        console.info(f"{len(combined.scores)} samples, not all labelled: no table of rates{advice}")
    if console.json:
        console.document(document)


def _write(combined: CombinedScores, output: Path) -> dict[str, Any]:
    """Write the scores and the ensemble; return their paths for `--json`."""
    stored = output.with_suffix(".json")
    combined.scores.write(output)
    combined.ensemble.write(stored)
    console.info(f"{len(combined.scores)} scores in {output}, rule and thresholds in {stored}")
    return {"scores": str(output), "ensemble": str(stored)}


def _evaluate(combined: CombinedScores, replicates: int) -> dict[str, Any]:
    """Evaluate all systems and print the tables; return the results for `--json`."""
    from fas_core.cli.views import show_summaries
    from fas_core.config.recipe import Recipe
    from fas_core.evaluation import bind_metrics
    from fas_core.evaluation.comparison import comparison_table
    from fas_core.evaluation.errors_table import errors_table
    from fas_core.evaluation.tables import further_rates_table, published_table
    from fas_core.registry import registry
    from fas_plugins.commands.ensemble.evaluate import compare_with_best_member, evaluate_systems

    metrics = bind_metrics(Recipe().metrics, registry())
    systems = evaluate_systems(combined.members, combined.ensemble, metrics, combined.notes, replicates)
    results = [system.result for system in systems]
    tables = published_table(results), further_rates_table(results), errors_table(results[-1:])
    for table in filter(None, tables):
        console.table(table)
    show_summaries(results[-1:])
    document: dict[str, Any] = {"results": [result.to_json() for result in results]}
    if combined.dev is not None:
        comparison = compare_with_best_member(systems, combined.dev, metrics, replicates)
        document["comparison"] = comparison.to_json()
        console.info(f"{comparison.reference} is the best member by its EER on dev")
        console.table(comparison_table(comparison))
    return document
