"""Results as console tables: the published columns first, then all other rates and metrics.

Rates are printed in %, to two decimals (four of the fraction, which `to_json` keeps in full), and below
them, dim, the bounds of their intervals. APCER of the worst PAI species comes before that of all attacks
pooled, as ISO/IEC 30107-3 asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve

from fas_core.evaluation.errors_table import errors_table
from fas_core.evaluation.formatting import format_header, is_rate, percent, plain
from fas_core.evaluation.notes import (
    SMALL_COUNT,
    describe_intervals,
    describe_small_counts,
    describe_warnings,
    merge_notes,
    merge_texts,
    threshold_text,
)
from fas_core.evaluation.result import Result
from fas_core.text_table import Styled, Table

PUBLISHED = ("acc", "eer", "tpr@fpr=1e-2", "tpr@fpr=1e-3", "apcer_max", "apcer", "bpcer", "acer")
"""The metrics of the published table, in its order, and the APCER of the worst species."""

ISO_FIRST = ("apcer_max", "bpcer", "apcer", "acer", "eer", "acc", "tpr@fpr=1e-2", "tpr@fpr=1e-3")
"""The same metrics in the order of ISO/IEC 30107-3: the worst species first."""

ACROSS = ("eer", "apcer_max", "apcer", "bpcer", "acer", "auc")
"""The metrics of tables across data sets, in their order."""

BOUNDS = ("from", "to")


def format_tables(
    results: Sequence[Result], *, train_hours: float | None = None, lead: Sequence[str] = PUBLISHED
) -> list[Table]:
    """Return all tables of at least one result; `lead` names the rates of the first table, in their order."""
    optional = (further_rates_table(results, lead=lead), errors_table(results), other_table(results))
    first = published_table(results, train_hours=train_hours, lead=lead)
    return [first, *(table for table in optional if table is not None)]


def published_table(
    results: Sequence[Result], *, train_hours: float | None = None, lead: Sequence[str] = PUBLISHED
) -> Table:
    """The leading columns, one row per result (and two for its intervals), and the notes below."""
    keys = _metric_names(results)
    thresholds = merge_texts({result.name: threshold_text(result) for result in results})
    several = len(thresholds) > 1
    title = f"Rates in %, {'each at its own threshold' if several else thresholds[0]}"
    lead = [key for key in lead if key in keys]
    table = _rates_table(results, lead, title=title, hours=train_hours)
    notes = [
        *(thresholds if several else ()),
        *merge_notes(results),
        *describe_warnings(results),
        table.note,
        *describe_intervals(results),
    ]
    return evolve(table, note="\n".join(filter(None, notes)))


def with_samples(table: Table, results: Sequence[Result]) -> Table:
    """Insert the number of samples as the second column of a table with one row per result."""
    totals = {result.name: str(result.counts["total"]) for result in results}
    rows = [(row[0], totals.get(row[0], ""), *row[1:]) for row in table.rows]
    return evolve(table, columns=(table.columns[0], "samples", *table.columns[1:]), rows=rows)


def further_rates_table(results: Sequence[Result], *, lead: Sequence[str] = PUBLISHED) -> Table | None:
    """The other rates, likewise; None when there are none."""
    keys = [key for key in _metric_names(results) if key not in lead and is_rate(key)]
    title = "Further rates in %, worst: of the worst species"
    return _rates_table(results, keys, title=title) if keys else None


def other_table(results: Sequence[Result]) -> Table | None:
    """Metrics that are not rates, as plain numbers, one row each; None when there are none."""
    keys = [key for key in _metric_names(results) if not is_rate(key)]
    if not keys:
        return None
    columns = [""]
    for result in results:
        columns += [result.name, *(f"{result.name}\n{bound}" for bound in BOUNDS if result.intervals)]

    def cells(result: Result, key: str) -> list[str]:
        bounds = [Styled(plain(bound), "dim") for bound in _interval(result, key)] if result.intervals else []
        return [plain(result.metrics.get(key)), *bounds]

    rows = [(key, *(cell for result in results for cell in cells(result, key))) for key in keys]
    return Table(title="Further figures", columns=columns, rows=rows)


def _rates_table(
    results: Sequence[Result], keys: Sequence[str], *, title: str, hours: float | None = None
) -> Table:
    last = [] if hours is None else [f"{hours:.2f}"]
    rows: list[Sequence[str]] = []
    for result in results:
        small = result.small_counts
        values = [percent(result.metrics.get(key)) + (SMALL_COUNT if key in small else "") for key in keys]
        rows.append([result.name, *values, *last])
        for index, bound in enumerate(BOUNDS if result.intervals else ()):
            bounds = [percent(_interval(result, key)[index]) for key in keys]
            rows.append([Styled(cell, "dim") for cell in (f"  {bound}", *bounds, *([""] if last else []))])
    columns = ("", *map(format_header, keys), *(["Train\nhours"] if last else []))
    return Table(title, columns, rows, "\n".join(describe_small_counts(results, keys)))


def _metric_names(results: Iterable[Result]) -> list[str]:
    return list(dict.fromkeys(key for result in results for key in result.metrics))


def _interval(result: Result, key: str) -> tuple[float | None, float | None]:
    return result.intervals.figures.get(key, (None, None)) if result.intervals else (None, None)
