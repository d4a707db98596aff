"""`fas card`: write a model card of a run, for the Hugging Face Hub or to lie beside the model."""

from __future__ import annotations

from pathlib import Path

import click

from fas_core.cli import panels
from fas_core.cli.candidates import complete_run
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import output_options, reject_option, replicates_option, threshold_option
from fas_core.console import console
from fas_core.errors import FasError

CARD = "README.md"
"""Name of the file in a run's folder, which the Hub shows."""


@click.command(
    cls=FasCommand,
    examples="""
        # a card in the run's folder
        fas card runs/quickstart
        # for a repository of the Hugging Face Hub
        fas card runs/quickstart --name door-2 --license apache-2.0 -o README.md
        # with limits, and groups of people
        fas card runs/quickstart --target 'apcer_max<=0.05' --group-by skin_tone
    """,
)
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN", shell_complete=complete_run)
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    panel=panels.OUTPUT,
    help=f"Markdown file to write; by default RUN/{CARD}.",
)
@option("--name", panel=panels.OUTPUT, help="Name of the model; by default the folder's.")
@option(
    "--license",
    "license_name",
    default="unknown",
    show_default=True,
    panel=panels.OUTPUT,
    help="License of the model as the Hugging Face Hub names it, e.g. apache-2.0, cc-by-nc-4.0, other.",
)
@option(
    "--split",
    default="test",
    show_default=True,
    panel=panels.DATA,
    help="Split to judge it on: dev or test.",
)
@option(
    "--data", metavar="NAME|MANIFEST|FOLDER", panel=panels.DATA, help="Data set, if it moved since the run."
)
@option(
    "--target",
    metavar="LIMITS",
    panel=panels.FIGURES,
    help="Limits that figures must meet, e.g. 'apcer_max<=0.05,bpcer<=0.10'.",
)
@option(
    "--group-by",
    metavar="COLUMN",
    panel=panels.FIGURES,
    help="Compare the error rates of each value of a column, such as skin_tone or device.",
)
@threshold_option
@reject_option
@replicates_option
@output_options
def command(
    run: Path,
    output: Path | None,
    name: str | None,
    license_name: str,
    split: str,
    data: str | None,
    target: str | None,
    group_by: str | None,
    threshold: str | None,
    reject: str | None,
    replicates: int,
) -> None:
    """Write a model card: what a run is, on whom it was judged, what it lets pass and whom it refuses.

    The card is Markdown with the block of metadata that the Hugging Face Hub reads, from the same facts as
    `fas report`.
    """
    from fas_core.atomic import write_text
    from fas_core.evaluation.groups import EvaluationOptions
    from fas_core.evaluation.targets import parse_targets
    from fas_core.registry import registry
    from fas_plugins.commands.report.card import ModelCard
    from fas_plugins.commands.report.score_source import SourceOptions
    from fas_plugins.commands.report.sources import evaluate_source, open_sources, select_metrics

    options = SourceOptions(
        split,
        policy=threshold,
        reject=reject,
        replicates=replicates,
        data=data,
        targets=() if target is None else parse_targets(target),
        group_by=group_by,
    )
    if not run.is_dir():
        raise FasError(f"{run}: a model card is of a run: give the folder that `fas train` wrote")
    path = run / CARD if output is None else output
    if output is None:
        _refuse_foreign(path)
    (source,) = open_sources([run], options, registry())
    assert source.run is not None  # a folder is opened as a run
    title = name or run.resolve().name
    metrics = EvaluationOptions().bind(select_metrics([source]), registry())
    system = evaluate_source(source, title, metrics, options, registry())
    assert system.training is not None
    card = ModelCard(title, license_name, source.run.recipe, system.training, system, split)
    write_text(path, card.to_markdown())
    console.info(f"{path}: the model card of {title}")
    if license_name == "unknown":
        console.warn("the license of the model is unknown: name it by --license")
    if console.json:
        console.document({"card": str(path), "metadata": card.metadata()})


def _refuse_foreign(path: Path) -> None:
    """Raise FasError where a file is there that this command did not write."""
    from fas_core.text_files import read_text
    from fas_plugins.commands.report.card import MARK

    if path.exists() and MARK not in read_text(path):
        raise FasError(f"{path}: exists, and `fas card` did not write it: remove it, or name another by -o")
