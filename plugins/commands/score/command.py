"""`fas score`: judge any system by its file of scores. Needs neither its model nor torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from fas_core.cli.judging import EvaluationOptions, evaluation_options
from fas_core.cli.options.output import output_options
from fas_core.cli.options.score_files import reading_options
from fas_core.console import console
from fas_core.descriptors import Command
from fas_core.errors import ConfigError
from fas_core.registry import registry

if TYPE_CHECKING:
    from fas_core.scores.files import Reading, ScoreFile
    from fas_core.scores.table import ScoreTable

WORSE_THAN_CHANCE = 0.5
COMPARE = "--compare"
FILE = click.Path(path_type=Path)


class Score(click.RichCommand):
    """`fas score --compare OLD NEW`, the former spelling of `fas drift OLD NEW`, still runs that command."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if COMPARE not in args:
            return super().make_context(info_name, args, parent, **extra)
        drift: click.Command = registry().find(Command, "drift").load()
        return drift.make_context("drift", [text for text in args if text != COMPARE], parent, **extra)


@click.command(cls=Score)
@click.argument("file", type=FILE)
@click.option("--dev", type=FILE, metavar="FILE", help="Scores that the threshold is fitted on.")
@click.option(
    "--threshold",
    metavar="POLICY",
    help="eer (default with --dev), min-acer, apcer:X, apcer_max:X, bpcer:X, oracle:POLICY, fixed:VALUE.",
)
@click.option(
    "--labels", type=FILE, metavar="LIST", help="Labels of FILE's ids: `path [path path] label`, or CSV."
)
@click.option("--dev-labels", type=FILE, metavar="LIST", help="Likewise for --dev.")
@reading_options
@click.option(
    "--aggregate", metavar="video[:VOTE]", help="Judge videos: mean, median, min, max or lfv of frames."
)
@evaluation_options
@output_options
def command(
    file: Path,
    dev: Path | None,
    threshold: str | None,
    labels: Path | None,
    dev_labels: Path | None,
    reading: Reading,
    aggregate: str | None,
    judging: EvaluationOptions,
) -> None:
    """Judge a file of scores: CSV of any delimiter, Parquet, JSON-lines, or `path [path path] score`.

    Which column was taken for what is printed; what can be read in two ways is refused.
    """
    from fas_core.cli.judging import evaluate_groups, show
    from fas_core.config.recipe import Recipe
    from fas_core.scores.files import refuse_shared

    if dev_labels is not None and dev is None:
        raise ConfigError(f"--dev-labels {dev_labels}: labels of no scores: give --dev FILE too")
    _check(threshold, aggregate)
    metrics = judging.bound(Recipe().metrics, registry())
    found = _read(file, reading, labels)
    fitted_on = None if dev is None else _read(dev, reading, dev_labels)
    if fitted_on is not None:
        refuse_shared(found, fitted_on)
    scores = _aggregated(found, aggregate)
    dev_scores = None if fitted_on is None else _aggregated(fitted_on, aggregate)
    cut = found.threshold(threshold, scores, dev_scores)
    judged = evaluate_groups(scores, metrics, cut, judging, name=_name(found), notes=found.notes)
    if cut is None:
        console.warn(
            "no threshold: give --dev FILE, whose scores it is fitted on, or --threshold fixed:VALUE"
        )
    if (auc := judged.result.metrics.get("auc", 1.0)) < WORSE_THAN_CHANCE:
        console.warn(f"AUC {auc:.3f}: attacks score higher than live samples: is it --positive attack?")
    show(judged)
    if console.json:
        document = {"scores": str(file), "columns": dict(found.columns), "samples": len(scores)}
        console.document(document | judged.to_json())


def _check(threshold: str | None, aggregate: str | None) -> None:
    """Mistakes that should not wait for a large file."""
    from fas_core.scores.thresholds import parse_policy
    from fas_core.scores.videos import parse_aggregate

    if threshold is not None:
        parse_policy(threshold)
    if aggregate is not None:
        parse_aggregate(aggregate)


def _read(path: Path, reading: Reading, labels: Path | None) -> ScoreFile:
    from fas_core.scores.files import read_scores

    found = read_scores(path, reading, labels)
    console.info(found.description)
    return found


def _aggregated(found: ScoreFile, aggregate: str | None) -> ScoreTable:
    from fas_core.scores.videos import by_video, parse_aggregate

    if aggregate is None:
        return found.table
    return by_video(found.table, parse_aggregate(aggregate), name=str(found.path))


def _name(found: ScoreFile) -> str:
    """The split, where the file is of one, so that the table is what `fas eval` says of it."""
    splits = found.table.table.column("split").unique().to_pylist()
    return splits[0] if len(splits) == 1 and splits[0] else found.path.stem
