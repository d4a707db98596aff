"""Results as console tables: the published columns first, then all other rates and metrics.

Rates are printed in %, to two decimals (four of the fraction, which `to_json` keeps in full), and below
them, dim, the bounds of their intervals. APCER of the worst PAI species comes before that of all attacks
pooled, as ISO/IEC 30107-3 asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isnan

from attrs import evolve

from fas_core.console import Styled, Table
from fas_core.evaluation.errors_table import errors_table
from fas_core.evaluation.formatting import figure_name, format_header, is_rate, percent, plain
from fas_core.evaluation.intervals import Intervals
from fas_core.evaluation.result import Result

PUBLISHED = ("acc", "eer", "tpr@fpr=1e-2", "tpr@fpr=1e-3", "apcer_max", "apcer", "bpcer", "acer")
"""The metrics of the published table, in its order, and the APCER of the worst species."""

ACROSS = ("eer", "apcer_max", "apcer", "bpcer", "acer", "auc")
"""The metrics of tables across data sets, in their order."""

BOUNDS = ("from", "to")
SMALL_COUNT = "*"
"""Marks a rate at a target that stands on too few samples."""


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
    thresholds = _merge_texts({result.name: threshold_text(result) for result in results})
    several = len(thresholds) > 1
    intervals = {result.name: text for result in results if (text := _describe_result_intervals(result))}
    title = f"Rates in %, {'each at its own threshold' if several else thresholds[0]}"
    note = "\n".join([*(thresholds if several else ()), *_merge_notes(results), *_merge_texts(intervals)])
    lead = [key for key in lead if key in keys]
    return _rates_table(results, lead, title=title, note=note, hours=train_hours)


def with_samples(table: Table, results: Sequence[Result]) -> Table:
    """Insert the number of samples as the second column of a table with one row per result."""
    totals = {result.name: str(result.counts["total"]) for result in results}
    rows = [(row[0], totals.get(row[0], ""), *row[1:]) for row in table.rows]
    return evolve(table, columns=(table.columns[0], "samples", *table.columns[1:]), rows=rows)


def further_rates_table(results: Sequence[Result], *, lead: Sequence[str] = PUBLISHED) -> Table | None:
    """The other rates, likewise; None when there are none."""
    keys = [key for key in _metric_names(results) if key not in lead and is_rate(key)]
    return (
        _rates_table(results, keys, title="Further rates in %, worst: of the worst species") if keys else None
    )


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
    results: Sequence[Result], keys: Sequence[str], *, title: str, note: str = "", hours: float | None = None
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
    notes = filter(None, [_describe_small_counts(results, keys), note])
    return Table(title=title, columns=columns, rows=rows, note="\n".join(notes))


def _metric_names(results: Iterable[Result]) -> list[str]:
    return list(dict.fromkeys(key for result in results for key in result.metrics))


def threshold_text(result: Result) -> str:
    """The threshold of a result, for a title."""
    return result.threshold.text() if result.threshold else "no threshold"


def _merge_notes(results: Sequence[Result]) -> list[str]:
    """Notes that all results share, once; others with their result's name."""
    notes = dict.fromkeys((result.name, note) for result in results for note in result.notes)
    shared = {note for _, note in notes if all(note in result.notes for result in results)}
    return list(dict.fromkeys(note if note in shared else f"{name}: {note}" for name, note in notes))


def _describe_small_counts(results: Sequence[Result], keys: Sequence[str]) -> str:
    """Explain the marks of some metrics; empty where there are none."""
    texts = {
        result.name: "; ".join(small[key].describe(key) for key in keys if key in small)
        for result in results
        if any(key in (small := result.small_counts) for key in keys)
    }
    return "\n".join(f"{SMALL_COUNT} {text}" for text in _merge_texts(texts))


def _describe_result_intervals(result: Result) -> str:
    """Say what the intervals of a result are; empty where it has none."""
    intervals = result.intervals
    if intervals is None:
        return ""
    constant = [
        key
        for key, value in result.metrics.items()
        if value is not None and not isnan(value) and isnan(intervals.figures[key][0])
    ]
    lines = [describe_intervals(intervals), *describe_exact(intervals)]
    if constant:
        lines.append(f"no interval, because no replicate differs: {', '.join(map(figure_name, constant))}")
    return "\n".join(lines)


def describe_intervals(intervals: Intervals) -> str:
    """Say what the bounds of a table are, and what was resampled."""
    groups = f"{intervals.groups} {intervals.by}{'' if intervals.groups == 1 else 's'}"
    why = ": not every subject or video is known" if intervals.by == "sample" else ""
    replicates = f"{intervals.replicates} bootstrap replicates over {groups}{why}"
    return f"from, to: {100 * intervals.level:g} % intervals, {replicates}"


def describe_exact(intervals: Intervals) -> list[str]:
    """Say which intervals are exact, in at most one line."""
    if not intervals.exact and not intervals.exact_species:
        return []
    names = [*map(figure_name, intervals.exact), *(f"APCER of {name}" for name in intervals.exact_species)]
    which = "all" if len(intervals.exact) == len(intervals.figures) else ", ".join(names)
    return [f"exact (Clopper-Pearson over {intervals.by}s), because no replicate differs: {which}"]


def _merge_texts(texts: Mapping[str, str]) -> list[str]:
    """The one text, if all are the same, else each with its result's name."""
    if not texts:
        return []
    if len(set(texts.values())) == 1:
        return [next(iter(texts.values()))]
    return [f"{name}: {text}" for name, text in texts.items()]


def _interval(result: Result, key: str) -> tuple[float | None, float | None]:
    return result.intervals.figures.get(key, (None, None)) if result.intervals else (None, None)
