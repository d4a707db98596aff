"""`fas submit`: write the file of a challenge from runs or score files."""

from __future__ import annotations

from pathlib import Path

import click

from fas_core.cli import panels
from fas_core.cli.candidates import complete_model
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import evaluation_workers_option, output_options
from fas_core.console import console


@click.command(
    cls=FasCommand,
    examples="""
        # CASIA-SURF, by a run
        fas submit runs/a --format casia-surf --data CASIA-SURF -o test.txt
        # the three sub-protocols of CeFA, by `fas train --protocol cefa-4`
        fas submit runs/cefa --format cefa -o submission.txt
        # phase 1, by a file of scores
        fas submit dev.csv --format cefa --data CASIA_CeFA --split dev -o 1.txt
    """,
)
@click.argument(
    "targets",
    type=click.Path(path_type=Path),
    nargs=-1,
    required=True,
    metavar="RUN|SCORES|MODEL.onnx ...",
    shell_complete=complete_model,
)
@option(
    "--format",
    "challenge",
    required=True,
    metavar="NAME",
    panel=panels.OUTPUT,
    help="Challenge: casia-surf, cefa, or that of a plugin's data set.",
)
@option(
    "--split",
    type=click.Choice(["dev", "test"]),
    default="test",
    show_default=True,
    panel=panels.DATA,
    help="Split of the file: of the published challenges, dev is phase 1 and test phase 2.",
)
@option(
    "--data",
    metavar="ROOT",
    panel=panels.DATA,
    help="Folder of the data set's lists; by default that of the run's data.",
)
@option(
    "--aggregate",
    default="video",
    show_default=True,
    metavar="video:VOTE",
    panel=panels.VERDICTS,
    help="How the scores of frames make that of their video: mean, median, min, max or lfv.",
)
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    panel=panels.OUTPUT,
    help="File to write.",
)
@evaluation_workers_option
@output_options
def command(
    targets: tuple[Path, ...],
    challenge: str,
    split: str,
    data: str | None,
    aggregate: str,
    output: Path,
    workers: int,
) -> None:
    """Write the file that a challenge takes: each line of its lists, in their order, with the score.

    For a challenge with sub-protocols give one system for all of them, one for each in their order, or the
    folder of `fas train --protocol`. No file is written when a line has no score, or a score no line.
    """
    from fas_core.atomic import replacing
    from fas_core.registry import registry
    from fas_core.scores.videos import parse_aggregate
    from fas_plugins.commands.submit.compose import compose_submission
    from fas_plugins.commands.submit.sources import choose_lists, find_challenge, read_systems

    vote = parse_aggregate(aggregate)
    dataset = find_challenge(challenge, registry())
    choice = choose_lists(dataset, targets[0], data, registry())
    assert choice.root is not None
    with dataset.naming_failures():
        submission = dataset.load_submission()(choice.options, root=choice.root, split=split)
    spec = None if data is None else f"{choice.name}:{choice.root}"
    systems = read_systems(targets, submission, spec, workers, registry())
    text = compose_submission(submission, systems, vote)
    with replacing(output) as temporary:
        temporary.write_bytes(text.encode())
    lines = text.count("\n")
    console.info(f"{lines} lines in {output}, of {', '.join(part.name for part in submission.parts)}")
    for name, table in dict(systems.values()).items():
        low, high = table.scores.min(), table.scores.max()
        if low < 0 or high > 1:
            console.warn(
                f"{name}: scores from {low:.4g} to {high:.4g}, where the challenge expects probabilities"
            )
    if console.json:
        console.document({"format": dataset.name, "split": split, "file": str(output), "lines": lines})
