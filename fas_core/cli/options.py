"""Options that several commands share, each as a decorator of the command."""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import Any

import click

from fas_core.cli import panels
from fas_core.cli.candidates import Items, complete_component, complete_model
from fas_core.cli.command import option
from fas_core.cli.verbosity import telling_time, verbosity_options
from fas_core.console import console
from fas_core.scores.grouping import GROUPS

Command = Callable[..., Any]
PATH = click.Path(path_type=Path)


class ModelPath(click.Path):
    """A run, a model file, or the name of a fetched public model, `public:NAME`, whose folder it gives."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from fas_core.data.fetched_models import resolve_model

        return super().convert(resolve_model(str(value)), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
        return complete_model(ctx, param, incomplete)


MODEL = ModelPath()


class FloatRange(click.FloatRange):
    """A range of numbers without NaN, which click takes for a number in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if isnan(number):
            self.fail("it is not a number", param, ctx)
        return number


POLICIES = "eer, min-acer, apcer:X, apcer_max:X, bpcer:X, fixed:VALUE or oracle:POLICY"
READERS = "Images that are read at the same time"

workers_option = option(
    "-j",
    "--workers",
    type=click.IntRange(1),
    panel=panels.MACHINE,
    help=f"{READERS}; by default one per core.",
)
evaluation_workers_option = option(
    "-j",
    "--workers",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    panel=panels.MACHINE,
    help=f"{READERS}.",
)

threshold_option = option(
    "--threshold",
    metavar="POLICY",
    panel=panels.VERDICTS,
    help=f"Where samples are accepted: {POLICIES}. By default the model's own, or eer on dev scores.",
)

fixed_threshold_option = option(
    "--threshold",
    metavar="fixed:VALUE",
    panel=panels.VERDICTS,
    help="Threshold to use instead of the model's own.",
)

reject_option = option(
    "--reject",
    metavar="POLICY",
    panel=panels.VERDICTS,
    help="Scores without a verdict, which are uncertain: LOW:HIGH, or error:X for the narrowest band outside "
    "of which at most X of the verdicts on dev are wrong; none for no band. By default the model's own.",
)

fixed_reject_option = option(
    "--reject",
    metavar="LOW:HIGH",
    panel=panels.VERDICTS,
    help="Scores without a verdict, which are uncertain, instead of the model's own; none for no band.",
)

aggregate_option = option(
    "--aggregate",
    metavar="video[:VOTE]",
    panel=panels.VERDICTS,
    help="Evaluate videos instead of frames; VOTE is mean, median, min, max or lfv of their scores.",
)


def _default_replicates() -> int:
    from fas_core.evaluation import bootstrap

    return bootstrap.REPLICATES


replicates_option = option(
    "--replicates",
    type=click.IntRange(0),
    default=_default_replicates,
    show_default="1000",
    panel=panels.FIGURES,
    help="Bootstrap replicates for the 95 % intervals; 0 for no intervals.",
)

metric_option = option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME[:RATE,...]",
    panel=panels.FIGURES,
    shell_complete=complete_component("metric"),
    help="A further metric, e.g. hter, or bpcer_ap:0.02 for that target; may be repeated.",
)

detector_option = option(
    "--detector",
    metavar="NAME|YUNET.onnx",
    panel=panels.FACES,
    shell_complete=complete_component("detector"),
    help="Face detector: centerface, cascade (OpenCV's), a YuNet file or a plugin's; by default centerface "
    "where `fas models get centerface` fetched it, else cascade.",
)

align_option = option(
    "--align",
    is_flag=True,
    panel=panels.FACES,
    help="Turn the face until its eyes are level, and place it by its landmarks. Needs centerface or YuNet.",
)

margin_option = option(
    "--margin",
    type=FloatRange(0, 3),
    panel=panels.FACES,
    help="Margin added on each side of a detected face, as a fraction of its size; 0.1 by default.",
)

external_model_option = option(
    "--foreign",
    "external",
    type=PATH,
    metavar="TERMS.yaml",
    panel=panels.MODEL,
    help="Description of a model that `fas export` did not write.",
)


device_option = option(
    "--device",
    metavar="NAME[,NAME...]",
    panel=panels.MACHINE,
    help="Where an exported model runs: cpu by default; gpu, cuda, coreml, ... as its runtime has them. Of "
    "several the first that is here: cuda,cpu falls back to the CPU.",
)


def output_options(command: Command) -> Command:
    """Give a command `--json`, `--quiet` and `--verbose`, set the console by them, and reserve stdout for it.

    What plugins and libraries print while the command runs goes to stderr.
    """

    @option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, nothing else.")
    @verbosity_options
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, **kwargs: Any) -> Any:
        console.json = as_json
        with console.reserve_stdout(), telling_time():
            return command(*args, **kwargs)

    return wrapped


def evaluation_options(command: Command) -> Command:
    """Give a command `--group-by`, `--replicates` and `--metric`, as one argument `evaluation`."""

    @option(
        "--group-by",
        type=click.Choice(GROUPS),
        panel=panels.FIGURES,
        help="Add a row for each value of this column.",
    )
    @replicates_option
    @metric_option
    @functools.wraps(command)
    def wrapped(
        *args: Any, group_by: str | None, replicates: int, metrics: tuple[str, ...], **kwargs: Any
    ) -> Any:
        from fas_core.evaluation.groups import EvaluationOptions

        return command(*args, evaluation=EvaluationOptions(replicates, group_by, metrics), **kwargs)

    return wrapped
