"""Flags of commands that evaluate scores."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import rich_click as click

Command = Callable[..., Any]

GROUPS = ("species", "subject", "group", "session", "device", "video", "split", "modalities")
"""Columns of a score table that samples can be grouped by."""

METRIC = "NAME[:RATE,...]"
POLICIES = "eer, min-acer, apcer:X, apcer_max:X, bpcer:X, fixed:VALUE or oracle:POLICY"

threshold_option = click.option(
    "--threshold",
    metavar="POLICY",
    help=f"Where samples are accepted: {POLICIES}. By default the model's own, or eer on dev scores.",
)

aggregate_option = click.option(
    "--aggregate",
    metavar="video[:VOTE]",
    help="Evaluate videos instead of frames; VOTE is mean, median, min, max or lfv of their scores.",
)

replicates_option = click.option(
    "--replicates",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    help="Bootstrap replicates for the 95 % intervals; 0 for no intervals.",
)

metric_option = click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar=METRIC,
    help="A further metric, e.g. hter, or bpcer_ap:0.02 for that target; may be repeated.",
)


def evaluation_options(command: Command) -> Command:
    """Give a command `--group-by`, `--replicates` and `--metric`, as one argument `evaluation`."""

    @click.option("--group-by", type=click.Choice(GROUPS), help="Add a row for each value of this column.")
    @replicates_option
    @metric_option
    @functools.wraps(command)
    def wrapped(
        *args: Any, group_by: str | None, replicates: int, metrics: tuple[str, ...], **kwargs: Any
    ) -> Any:
        from fas_core.evaluation.groups import EvaluationOptions

        return command(*args, evaluation=EvaluationOptions(replicates, group_by, metrics), **kwargs)

    return wrapped
