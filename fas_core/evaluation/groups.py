"""Evaluation of one score table as a whole and, if wanted, by the values of one of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from attrs import evolve, fields, frozen

from fas_core.component import NoOptions
from fas_core.config.components import MetricChoice
from fas_core.config.structure import structure
from fas_core.console import console
from fas_core.descriptors import Metric
from fas_core.errors import ConfigError, DataError
from fas_core.evaluation.bootstrap import REPLICATES
from fas_core.evaluation.metrics import BoundMetric, bind_metrics
from fas_core.evaluation.result import Result, evaluate
from fas_core.evaluation.tables import format_tables, published_table, with_samples
from fas_core.records.samples import ATTACK, LIVE
from fas_core.registry import Registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_core.text_table import Table


@frozen
class EvaluationOptions:
    """How scores are evaluated, but for the threshold.

    Args:
        replicates: number of the bootstrap that gives 95 % intervals; 0 for none.
        group_by: column of the score table; each of its values gets a result.
        metrics: further ones, each a name or `NAME:RATE,...` with its targets.
    """

    replicates: int = REPLICATES
    group_by: str | None = None
    metrics: tuple[str, ...] = ()

    def bind(self, choices: Sequence[MetricChoice], registry: Registry) -> list[BoundMetric]:
        """Load the metrics of a recipe and the further ones; errors are those of `parse_metric`."""
        metrics = {choice.name: choice for choice in choices}
        for text in self.metrics:
            further = parse_metric(text, registry)
            if not isinstance(further.options, NoOptions) or further.name not in metrics:
                metrics[further.name] = further
        return bind_metrics(list(metrics.values()), registry)


@frozen(eq=False)
class GroupedResult:
    """Results of a score table and, where it is grouped by a column, of each group, named by its value."""

    scores: ScoreTable
    result: Result
    by: str | None = None
    groups: tuple[Result, ...] = ()

    def tables(self) -> list[Table]:
        """Return the tables of all samples and, where there are groups, theirs."""
        tables = format_tables([self.result])
        return tables if self.by is None else [*tables, groups_table(self)]

    def to_json(self) -> dict[str, Any]:
        """Return the result's document, and the groups'."""
        document = self.result.to_json()
        if self.by is None:
            return document
        return document | {"groups": {"by": self.by, "results": [group.to_json() for group in self.groups]}}


def parse_metric(text: str, registry: Registry) -> MetricChoice:
    """Parse `hter`, or with rates for the one option of a metric, `bpcer_ap:0.02,0.05`.

    Raises:
        ConfigError: the rates are no numbers, or the metric has no targets.
        PluginError: no plugin provides the metric.
    """
    name, rates = registry.split_name(Metric, text)
    metric = registry.find(Metric, name)
    if rates is None:
        return MetricChoice(name)
    options = [field.name for field in fields(metric.options)]
    try:
        targets = [float(rate) for rate in rates.split(",")]
    except ValueError:
        raise ConfigError(f"--metric {text!r}: must be NAME[:RATE,...], e.g. bpcer_ap:0.02,0.05") from None
    if len(options) != 1:
        raise ConfigError(f"--metric {text!r}: {name} has no targets: give --metric {name}")
    tree = {options[0]: targets}
    return MetricChoice(name, structure(tree, metric.options, registry, f"--metric {text!r}"))


def evaluate_groups(
    scores: ScoreTable,
    metrics: Sequence[BoundMetric],
    threshold: Threshold | None,
    options: EvaluationOptions,
    *,
    name: str,
    notes: Sequence[str] = (),
) -> GroupedResult:
    """Evaluate all samples and, where `options.group_by` is given, each group.

    Raises:
        FasError: see `evaluate`; or nothing is known of what samples are grouped by.
    """
    by = options.group_by
    tables = {} if by is None else group_scores(scores, by)
    result = evaluate(scores, metrics, threshold, name=name, notes=notes, replicates=options.replicates)
    if by is None:
        return GroupedResult(scores, result)
    # Drawing whole subjects or videos says nothing about one of them.
    replicates = 0 if by in ("subject", "video") else options.replicates
    groups: list[Result] = []
    with console.progress(f"by {by}", len(tables), "groups") as bar:
        for value, table in tables.items():
            groups.append(evaluate(table, metrics, threshold, name=value, replicates=replicates))
            bar.advance()
    return GroupedResult(scores, result, by, tuple(groups))


def group_scores(scores: ScoreTable, by: str) -> dict[str, ScoreTable]:
    """Return the labelled samples of each value of a column, `unknown` for none.

    The group of a PAI species has its attacks and all live samples.
    """
    column, labels = scores.table.column(by), scores.labels
    counted = labels == ATTACK if by == "species" else (labels == ATTACK) | (labels == LIVE)
    values = pc.fill_null(column, "unknown")
    names = sorted(pc.unique(values.filter(pa.array(counted))).to_pylist())
    if column.null_count == len(column) or not names:
        raise DataError(f"--group-by {by}: nothing is known of the samples' {by}")
    codes = pc.index_in(values, pa.array(names)).fill_null(-1).to_numpy()
    everywhere = (labels == LIVE) & (by == "species")
    return {
        name: ScoreTable(scores.table.filter(pa.array(((codes == code) & counted) | everywhere)))
        for code, name in enumerate(names)
    }


def groups_table(grouped: GroupedResult) -> Table:
    """The published columns, a row (and two for its intervals) a group, with its number of samples."""
    table = published_table([evolve(group, notes=()) for group in grouped.groups])
    return evolve(with_samples(table, grouped.groups), title=f"By {grouped.by}, rates in %")
