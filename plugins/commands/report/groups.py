"""Error rates by the values of a column: of the score file, of the samples, or any other of the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fas_core.console import console
from fas_core.errors import ConfigError, format_list
from fas_core.evaluation.bootstrap import choose_groups
from fas_core.evaluation.errors_table import error_rows
from fas_core.evaluation.formatting import format_share, percent
from fas_core.evaluation.group_differences import PERMUTATIONS, GroupDifference, compare_groups
from fas_core.evaluation.metrics import BoundMetric
from fas_core.evaluation.population import FEW, NOUNS
from fas_core.evaluation.result import Result, evaluate
from fas_core.records.samples import ATTACK, LIVE
from fas_core.scores.files.raw import read_raw_table
from fas_core.scores.table import ScoreTable
from fas_core.text_table import Styled, Table
from fas_plugins.commands.report.score_source import ScoreSource, SourceOptions
from fas_plugins.commands.report.source_data import SourceData
from fas_plugins.commands.report.systems import SystemGroups

NOT_ATTRIBUTES = ("id", "score", "label", "frame")
"""Columns of a score table that samples are not grouped by."""

MAX_GROUPS = 50
"""The most values of a column that samples are grouped by."""


def evaluate_by(
    source: ScoreSource,
    data: SourceData,
    options: SourceOptions,
    metrics: Sequence[BoundMetric],
    result: Result,
) -> SystemGroups | None:
    """Evaluate the samples of each value of `options.group_by`, and compare each with all others.

    Raises:
        ConfigError: there is no such column, it is empty, or has too many values.
    """
    by = options.group_by
    if by is None:
        return None
    values = _read_column(source, data, options, by)
    labels = source.scores.labels
    known = np.asarray(pc.is_valid(values)) & ((labels == ATTACK) | (labels == LIVE))
    names = sorted(pc.unique(values.filter(pa.array(known))).to_pylist())
    if not 1 <= len(names) <= MAX_GROUPS:
        problem = f"has {len(names)} values, and at most {MAX_GROUPS} are compared" if names else "is empty"
        raise ConfigError(f"{source.path}: --group-by {by}: the column {problem}")
    results = []
    with console.progress(f"by {by}", len(names), "groups") as bar:
        for name in names:
            rows = pc.and_(pc.fill_null(pc.equal(values, name), False), pa.array(known))
            table = ScoreTable(source.scores.table.filter(rows))
            results.append(
                evaluate(table, metrics, result.threshold, name=name, replicates=options.replicates)
            )
            bar.advance()
    differences: list[GroupDifference] = []
    if (value := result.threshold_value) is not None:
        differences = compare_groups(source.scores, values, value, result.reject)
    clusters = choose_groups(source.scores)[0]
    return SystemGroups(by, results, differences, int((~known).sum()), clusters)


def _read_column(source: ScoreSource, data: SourceData, options: SourceOptions, by: str) -> pa.Array:
    """Return the values of the samples (N,), as text, null where not known."""
    table = source.scores.table
    known = [name for name in table.column_names if name not in NOT_ATTRIBUTES]
    if by in known:
        return table.column(by).combine_chunks()
    reading = options.reading if source.score_file is not None else None
    raw = read_raw_table(
        source.file,
        delimiter=None if reading is None else reading.delimiter,
        header=None if reading is None else reading.header,
    )
    if raw.named and by in raw.names and by not in NOT_ATTRIBUTES:
        text = raw.read_text(raw.names.index(by), "group")
        return pc.if_else(pc.equal(text, ""), None, text)
    attributes = data.attributes()
    names = () if attributes is None else attributes.attribute_names()
    if attributes is not None and by in names:
        by_id = attributes.attribute(by)
        return pa.array(map(by_id.get, table.column("id").to_pylist()), pa.string())
    known = [name for name in known if table.column(name).null_count < len(table)]
    further = [name for name in raw.names if raw.named and name not in table.column_names]
    raise ConfigError(
        f"{source.path}: --group-by {by}: no such column (there are: "
        f"{format_list([*known, *further, *names], 12)})"
    )


def groups_table(groups: SystemGroups, name: str) -> Table:
    """Return a row for each error rate of each group: counts, interval, whether it differs from others."""
    tested = {(item.group, item.rate): item for item in groups.differences}
    rows = []
    for result in groups.results:
        for row in error_rows(result):
            rate = {"APCER pooled": "apcer", "BPCER": "bpcer"}.get(row.rate, "")
            if not rate and row.rate != "APCER worst":
                continue
            item = tested.get((result.name, rate))
            people = "" if item is None else str(item.people)
            bounds = [Styled(percent(bound), "dim") for bound in row.interval]
            names = (result.name, row.rate, row.samples)
            rows.append((*names, row.count, people, percent(row.value), *bounds, *_compare_cells(item)))
    plural = NOUNS[groups.clusters][1]
    heads = (groups.by, "error", "of", "count", plural)
    columns = (*heads, "in %", "from", "to", "minus\nothers", "p", "verdict")
    return Table(f"{name} by {groups.by}", columns, rows, _explain(groups), left=(0, 1, 2, 10))


def describe_differences(groups: SystemGroups) -> list[str]:
    """Return a line for each difference beyond chance, or one that says that there is none."""
    lines = [
        f"{groups.by} {item.group}: {item.rate.upper()} {format_share(item.value)}, {item.verdict} than the "
        f"{format_share(item.others)} of all others (p {_format_p(item.corrected)})"
        for item in groups.differences
        if item.clear
    ]
    return lines or [f"by {groups.by}: no difference of error rates that is clearly beyond chance"]


def _format_p(p: float) -> str:
    return f"{p:.2g}" if p >= 0.001 else "<0.001"


def _compare_cells(item: GroupDifference | None) -> tuple[str, str, str]:
    """Return the difference to all other groups, its p, and the verdict."""
    if item is None or isnan(item.p):
        return "", "", ""
    return f"{100 * item.difference:+.2f}", _format_p(item.corrected), item.verdict


def _explain(groups: SystemGroups) -> str:
    """Return the lines below the table."""
    _, plural = NOUNS[groups.clusters]
    lines = [
        f"minus others: the group's rate minus that of all other groups; p: by a permutation test of "
        f"{plural} ({PERMUTATIONS:,} random exchanges, two-sided), corrected by Holm's method for "
        f"all comparisons of this table; higher, lower: beyond chance, p < 0.05",
        "no clear difference is no proof that there is none; too few to tell: with so few "
        f"{plural} no difference at all could be beyond chance",
    ]
    if groups.clusters == "sample":
        lines.append("who the people are is not known, so every sample counts as another person")
    if any(item.people < FEW for item in groups.differences):
        lines.append(f"from, to: intervals of fewer than {FEW} {plural} tend to be too narrow")
    if groups.unknown:
        lines.append(f"{groups.unknown} samples without a {groups.by} or a label are left out")
    kinds = {frozenset(result.species) for result in groups.results if result.species}
    if len(kinds) > 1:
        lines.append("the groups hold different species of attacks, which alone can make APCER differ")
    return "\n".join(lines)
