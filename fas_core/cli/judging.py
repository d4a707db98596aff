"""What every command that judges scores shares: its options, the tables and the JSON document."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import rich_click as click
from attrs import evolve, frozen

from fas_core.console import Table, console
from fas_core.descriptors import Metric

if TYPE_CHECKING:
    from fas_core.config.recipe import MetricChoice
    from fas_core.evaluation import BoundMetric, Result
    from fas_core.registry import Registry
    from fas_core.scores.table import ScoreTable
    from fas_core.scores.thresholds import Threshold

GROUPS = ("species", "subject", "group", "session", "device", "video", "split", "modalities")
"""Columns of a score table that samples can be grouped by."""

METRIC = "NAME[:RATE,...]"


@frozen
class EvaluationOptions:
    """How scores are judged, but for the threshold.

    Args:
        replicates: of the bootstrap that gives 95 % intervals; 0 for none.
        group_by: a further result for each value of this column, one of `GROUPS`.
        metrics: further metrics, each a name or `NAME:RATE,...` with targets of its own.
    """

    replicates: int = 1000
    group_by: str | None = None
    metrics: tuple[str, ...] = ()

    def bound(self, choices: Sequence[MetricChoice], registry: Registry) -> list[BoundMetric]:
        """The given metrics and the further ones, loaded.

        Raises:
            ConfigError: a metric takes no such targets.
            PluginError: no plugin provides one of them.
        """
        from fas_core.evaluation import bind_metrics

        chosen = {choice.name: choice for choice in choices}
        for text in self.metrics:
            further = _choice(text, registry)
            if further.options is not None or further.name not in chosen:
                chosen[further.name] = further
        return bind_metrics(list(chosen.values()), registry)


@frozen(eq=False)
class Judged:
    """One score table's result.

    Args:
        scores: what was judged.
        result: of all samples.
        by: what they were grouped by, if at all.
        groups: a result for each group, named by its value.
    """

    scores: ScoreTable
    result: Result
    by: str | None = None
    groups: tuple[Result, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The result's document, and the groups'."""
        found = self.result.to_json()
        if self.by is None:
            return found
        return found | {"groups": {"by": self.by, "results": [group.to_json() for group in self.groups]}}


def _choice(text: str, registry: Registry) -> MetricChoice:
    """`hter`, or with rates for the one option of a metric, `bpcer_ap:0.02,0.05`."""
    from attrs import fields

    from fas_core.config.recipe import MetricChoice
    from fas_core.config.structure import structure
    from fas_core.errors import ConfigError

    name, colon, rates = text.partition(":")
    if not colon:
        return MetricChoice(name)
    metric = registry.find(Metric, name)
    taken = [field.name for field in fields(metric.options)]
    try:
        targets = [float(rate) for rate in rates.split(",")]
    except ValueError:
        raise ConfigError(f"--metric {text!r}: must be {METRIC}, e.g. bpcer_ap:0.02,0.05") from None
    if len(taken) != 1:
        raise ConfigError(f"--metric {text!r}: {name} has no targets: give --metric {name}")
    return MetricChoice(name, structure({taken[0]: targets}, metric.options, registry, f"--metric {text!r}"))


def evaluation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--group-by`, `--replicates` and `--metric`, as one argument `judging`."""

    @click.option("--group-by", type=click.Choice(GROUPS), help="A row for each value of this column too.")
    @click.option(
        "--replicates",
        type=click.IntRange(0),
        default=EvaluationOptions().replicates,
        show_default=True,
        help="Bootstrap replicates for the 95 % intervals; 0 for no intervals.",
    )
    @click.option(
        "--metric",
        "metrics",
        multiple=True,
        metavar=METRIC,
        help="A further metric, e.g. hter, or bpcer_ap:0.02 for that target; may be repeated.",
    )
    @functools.wraps(command)
    def wrapped(
        *args: Any, group_by: str | None, replicates: int, metrics: tuple[str, ...], **kwargs: Any
    ) -> Any:
        return command(*args, judging=EvaluationOptions(replicates, group_by, metrics), **kwargs)

    return wrapped


def evaluate_groups(
    scores: ScoreTable,
    metrics: Sequence[BoundMetric],
    threshold: Threshold | None,
    judging: EvaluationOptions,
    *,
    name: str,
    notes: Sequence[str] = (),
) -> Judged:
    """The result of all samples and, where asked for, of each group.

    Raises:
        DataError: nothing is labelled, or nothing is known of what samples are grouped by.
        PluginError: two metrics give a figure of the same name.
    """
    from fas_core.evaluation import evaluate

    by = judging.group_by
    parts = {} if by is None else grouped(scores, by)
    result = evaluate(scores, metrics, threshold, name=name, notes=notes, replicates=judging.replicates)
    if by is None:
        return Judged(scores, result)
    # Drawing whole subjects or videos says nothing about one of them.
    replicates = 0 if by in ("subject", "video") else judging.replicates
    groups: list[Result] = []
    with console.progress(f"by {by}", len(parts)) as bar:
        for value, part in parts.items():
            groups.append(evaluate(part, metrics, threshold, name=value, replicates=replicates))
            bar.advance()
    return Judged(scores, result, by, tuple(groups))


def grouped(scores: ScoreTable, by: str) -> dict[str, ScoreTable]:
    """The labelled samples of each value, `unknown` for none; of a species, its attacks and all live samples.

    Raises:
        DataError: nothing is known of `by`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from fas_core.errors import DataError
    from fas_core.records.samples import ATTACK, LIVE
    from fas_core.scores.table import ScoreTable

    column, labels = scores.table.column(by), scores.labels
    counted = labels == ATTACK if by == "species" else (labels == ATTACK) | (labels == LIVE)
    values = pc.fill_null(column, "unknown")
    names = sorted(pc.unique(values.filter(pa.array(counted))).to_pylist())
    if column.null_count == len(column) or not names:
        raise DataError(f"--group-by {by}: nothing is known of the samples' {by}")
    codes = pc.index_in(values, pa.array(names)).fill_null(-1).to_numpy()
    return {
        name: ScoreTable(
            scores.table.filter(
                pa.array(((codes == code) & counted) | ((labels == LIVE) & (by == "species")))
            )
        )
        for code, name in enumerate(names)
    }


def show(judged: Judged) -> None:
    """Print the tables and the histogram of the scores."""
    from fas_core.evaluation import tables, text_histogram

    for table in tables([judged.result]):
        console.table(table)
    if judged.by is not None:
        console.table(_groups_table(judged))
    drawn = text_histogram(
        judged.scores.rates,
        judged.result.threshold,
        name=judged.result.name,
        width=console.width,
        blocks=console.blocks,
    )
    if drawn is not None:
        console.table(drawn)


def _groups_table(judged: Judged) -> Table:
    """The published columns, a row (and two for its intervals) a group, with its number of samples."""
    from fas_core.evaluation.tables import published_table, with_samples

    table = published_table([evolve(group, notes=()) for group in judged.groups])
    return evolve(with_samples(table, judged.groups), title=f"By {judged.by}, rates in %")
