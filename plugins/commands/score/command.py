"""`fas score`: evaluate any system by its file of scores, without its model and without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fas_core.cli import panels
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import (
    aggregate_option,
    evaluation_options,
    output_options,
    reject_option,
    threshold_option,
)
from fas_core.cli.reading_options import reading_options
from fas_core.cli.views import show_result
from fas_core.console import console
from fas_core.errors import ConfigError
from fas_core.registry import registry
from fas_core.remembered_kinds import Command

if TYPE_CHECKING:
    from fas_core.evaluation.groups import EvaluationOptions
    from fas_core.scores.files import Reading, ScoreFile
    from fas_core.scores.table import ScoreTable

COMPARE = "--compare"
FILE = click.Path(path_type=Path)


class ScoreCommand(FasCommand):
    """Runs `fas drift OLD NEW` for its former spelling, `fas score --compare OLD NEW`."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if COMPARE not in args:
            return super().make_context(info_name, args, parent, **extra)
        drift: click.Command = registry().find(Command, "drift").load()
        return drift.make_context("drift", [text for text in args if text != COMPARE], parent, **extra)


@click.command(
    cls=ScoreCommand,
    examples="""
        # the threshold of the equal error rate on dev
        fas score test.csv --dev dev.csv
        # scores and labels in two files
        fas score submission.txt --labels test_list.txt --threshold fixed:0.5
        # the column that has the score, and a row for each kind of attack
        fas score test.csv --column score=p_live --dev dev.csv --group-by species
    """,
)
@click.argument("file", type=FILE)
@option(
    "--dev",
    type=FILE,
    metavar="FILE",
    panel=panels.SCORE_FILES,
    help="Score file to fit the threshold on, of other samples.",
)
@threshold_option
@reject_option
@option(
    "--labels",
    type=FILE,
    metavar="LIST",
    panel=panels.SCORE_FILES,
    help="Labels of FILE, if they are in another file: lines of `path [path path] label`, or CSV.",
)
@option(
    "--dev-labels",
    type=FILE,
    metavar="LIST",
    panel=panels.SCORE_FILES,
    help="Labels of --dev, if they are in another file.",
)
@option(
    "--attacks",
    type=FILE,
    metavar="FILE",
    panel=panels.SCORE_FILES,
    help="Scores of the attacks, if they are in another file; then FILE has those of live samples.",
)
@option(
    "--dev-attacks",
    type=FILE,
    metavar="FILE",
    panel=panels.SCORE_FILES,
    help="Scores of the attacks of --dev, if they are in another file.",
)
@reading_options
@aggregate_option
@evaluation_options
@output_options
def command(
    file: Path,
    dev: Path | None,
    threshold: str | None,
    reject: str | None,
    labels: Path | None,
    dev_labels: Path | None,
    attacks: Path | None,
    dev_attacks: Path | None,
    reading: Reading,
    aggregate: str | None,
    evaluation: EvaluationOptions,
) -> None:
    """Evaluate a file of scores: CSV of any delimiter, Parquet, JSON-lines, or `path [path path] score`.

    The command prints how it read each column, and refuses a file that can be read in two ways.
    """
    from fas_core.config.recipe import Recipe
    from fas_core.evaluation.groups import evaluate_groups
    from fas_core.scores.files import refuse_shared

    if dev_labels is not None and dev is None:
        raise ConfigError(f"--dev-labels {dev_labels}: labels without scores: give --dev FILE too")
    if dev_attacks is not None and dev is None:
        raise ConfigError(f"--dev-attacks {dev_attacks}: give the live samples by --dev FILE too")
    _check_options(threshold, reject, aggregate)
    metrics = evaluation.bind(Recipe().metrics, registry())
    file_scores = _read_scores(file, reading, labels, attacks)
    dev_file = None if dev is None else _read_scores(dev, reading, dev_labels, dev_attacks)
    if dev_file is not None:
        refuse_shared(file_scores, dev_file)
    scores = _aggregate(file_scores, aggregate)
    dev_scores = None if dev_file is None else _aggregate(dev_file, aggregate)
    fitted = file_scores.threshold(threshold, scores, dev_scores, reject)
    result = evaluate_groups(
        scores, metrics, fitted, evaluation, name=_choose_name(file_scores), notes=file_scores.notes
    )
    if fitted is None:
        console.warn(
            "no threshold: give --dev FILE, whose scores it is fitted on, or --threshold fixed:VALUE"
        )
    show_result(result)
    if result.result.looks_inverted:
        console.warn("a high score seems to mean attack: is it --positive attack?")
    if console.json:
        document = {"scores": str(file), "columns": dict(file_scores.columns), "samples": len(scores)}
        console.document(document | result.to_json())


def _check_options(threshold: str | None, reject: str | None, aggregate: str | None) -> None:
    """Refuse a wrong policy or vote before a large file is read."""
    from fas_core.scores.rejection import parse_reject
    from fas_core.scores.thresholds import parse_policy
    from fas_core.scores.videos import parse_aggregate

    if threshold is not None:
        parse_policy(threshold)
    if reject is not None:
        parse_reject(reject)
    if aggregate is not None:
        parse_aggregate(aggregate)


def _read_scores(path: Path, reading: Reading, labels: Path | None, attacks: Path | None) -> ScoreFile:
    from fas_core.scores.files import read_class_files, read_scores

    if attacks is None:
        file_scores = read_scores(path, reading, labels)
    elif labels is None:
        file_scores = read_class_files(path, attacks, reading)
    else:
        raise ConfigError(f"{attacks} and {labels}: give the labels by a file for each class or by a list")
    console.info(file_scores.description)
    return file_scores


def _aggregate(file_scores: ScoreFile, aggregate: str | None) -> ScoreTable:
    from fas_core.scores.videos import by_video, parse_aggregate

    if aggregate is None:
        return file_scores.table
    return by_video(file_scores.table, parse_aggregate(aggregate), name=str(file_scores.path))


def _choose_name(file_scores: ScoreFile) -> str:
    """Return the split where the file holds one, as `fas eval` calls it; else the file's name."""
    splits = file_scores.table.table.column("split").unique().to_pylist()
    return splits[0] if len(splits) == 1 and splits[0] else file_scores.path.stem
