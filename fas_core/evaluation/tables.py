"""Results as console tables: the published columns first, then all other rates and metrics.

Rates are printed in %, to two decimals (four of the fraction, which `to_json` keeps in full), and below
them, dim, the bounds of their intervals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import isnan

from attrs import evolve

from fas_core.console import Styled, Table
from fas_core.evaluation.bootstrap import Intervals
from fas_core.evaluation.result import Result

PUBLISHED = ("acc", "eer", "tpr@fpr=1e-2", "tpr@fpr=1e-3", "apcer", "bpcer", "acer")
"""The metrics of the published table, in its order."""

ACROSS = ("eer", "apcer", "bpcer", "acer", "auc")
"""The metrics of tables across data sets, in their order."""

RATES = frozenset({"acc", "eer", "tpr", "apcer", "bpcer", "acer", "hter", "auc"})
"""Metrics in %: those with one of these names up to a `_`, a `@` or a digit. Others are plain numbers."""

UNDEFINED = "-"
BOUNDS = ("from", "to")


def format_tables(
    results: Sequence[Result], *, train_hours: float | None = None, lead: Sequence[str] = PUBLISHED
) -> list[Table]:
    """Return all tables of at least one result; `lead` names the rates of the first table, in their order."""
    optional = (further_rates_table(results, lead=lead), species_table(results), other_table(results))
    first = published_table(results, train_hours=train_hours, lead=lead)
    return [first, *(table for table in optional if table is not None)]


def published_table(
    results: Sequence[Result], *, train_hours: float | None = None, lead: Sequence[str] = PUBLISHED
) -> Table:
    """The leading columns, one row per result (and two for its intervals), and the notes below."""
    keys = _metric_names(results)
    thresholds = _merge_texts({result.name: threshold_text(result) for result in results})
    several = len(thresholds) > 1
    intervals = {result.name: _describe_intervals(result.intervals) for result in results if result.intervals}
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
    return _rates_table(results, keys, title="Further rates in %, max: the worst species'") if keys else None


def species_table(results: Sequence[Result]) -> Table | None:
    """APCER and number of attacks, one row per PAI species of a result; None without attacks."""
    items = [(result, name, species) for result in results for name, species in result.species.items()]
    if not items:
        return None
    bounds = BOUNDS if any(result.intervals for result in results) else ()
    no_score = ["no score"] if any(species.no_response for _, _, species in items) else []

    rows = []
    for result, name, species in items:
        interval = result.intervals.species.get(name) if result.intervals else None
        cells = [Styled(percent(bound), "dim") for bound in interval or (None, None)] if bounds else []
        missing = [str(species.no_response)] if no_score else []
        rows.append((result.name, name, percent(species.apcer), *cells, str(species.count), *missing))
    columns = ("", "species", "APCER", *bounds, "attacks", *no_score)
    return Table(title="Attacks accepted in %, by species", columns=columns, rows=rows, left=(0, 1))


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
        rows.append([result.name, *(percent(result.metrics.get(key)) for key in keys), *last])
        for index, bound in enumerate(BOUNDS if result.intervals else ()):
            bounds = [percent(_interval(result, key)[index]) for key in keys]
            rows.append([Styled(cell, "dim") for cell in (f"  {bound}", *bounds, *([""] if last else []))])
    columns = ("", *map(_header, keys), *(["Train\nhours"] if last else []))
    return Table(title=title, columns=columns, rows=rows, note=note)


def _metric_names(results: Iterable[Result]) -> list[str]:
    return list(dict.fromkeys(key for result in results for key in result.metrics))


def is_rate(key: str) -> bool:
    """Whether a metric is printed in %."""
    return re.split(r"[_@\d]", key, maxsplit=1)[0] in RATES


def _header(key: str) -> str:
    """A metric's name in lines: `tpr@fpr=1e-2` -> TPR@FPR, =1e-2; `acer_max` -> ACER, max."""
    rate, equals, target = key.partition("=")
    name = "Acc" if rate == "acc" else rate.upper().replace("_MAX@", " max\n@").replace("_MAX", "\nmax")
    return name + (f"\n={target}" if equals else "")


def figure_name(key: str) -> str:
    """A metric's name in one line: TPR@FPR=1e-2, ACER max."""
    return _header(key).replace("\n=", "=").replace("\n", " ")


def threshold_text(result: Result) -> str:
    """The threshold of a result, for a title."""
    return result.threshold.text() if result.threshold else "no threshold"


def _merge_notes(results: Sequence[Result]) -> list[str]:
    """Notes that all results share, once; others with their result's name."""
    notes = dict.fromkeys((result.name, note) for result in results for note in result.notes)
    shared = {note for _, note in notes if all(note in result.notes for result in results)}
    return list(dict.fromkeys(note if note in shared else f"{name}: {note}" for name, note in notes))


def _describe_intervals(intervals: Intervals) -> str:
    groups = f"{intervals.groups} {intervals.by}{'' if intervals.groups == 1 else 's'}"
    why = ": not every subject or video is known" if intervals.by == "sample" else ""
    replicates = f"{intervals.replicates} bootstrap replicates over {groups}{why}"
    return f"from, to: {100 * intervals.level:g} % intervals, {replicates}"


def _merge_texts(texts: Mapping[str, str]) -> list[str]:
    """The one text, if all are the same, else each with its result's name."""
    if len(set(texts.values())) == 1:
        return [next(iter(texts.values()))]
    return [f"{name}: {text}" for name, text in texts.items()]


def _interval(result: Result, key: str) -> tuple[float | None, float | None]:
    return result.intervals.figures.get(key, (None, None)) if result.intervals else (None, None)


def percent(value: float | None) -> str:
    """0.12345 -> 12.35."""
    return UNDEFINED if value is None or isnan(value) else f"{100 * value:.2f}"


def plain(value: float | None) -> str:
    """Four significant digits."""
    return UNDEFINED if value is None or isnan(value) else f"{value:.4g}"
