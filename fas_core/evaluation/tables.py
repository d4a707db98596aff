"""Results as console tables: the published columns first, then whatever other rates and figures there are.

Rates are printed in %, to two decimals (four of the fraction, which `to_json` keeps whole), and below
them, dim, the ends of their intervals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import isnan

from attrs import evolve

from fas_core.console import Styled, Table
from fas_core.evaluation.bootstrap import Intervals
from fas_core.evaluation.result import Result, SpeciesResult

PUBLISHED = ("acc", "eer", "tpr@fpr=1e-2", "tpr@fpr=1e-3", "apcer", "bpcer", "acer")
"""The figures of the published table, in its order."""

RATES = frozenset({"acc", "eer", "tpr", "apcer", "bpcer", "acer", "hter", "auc"})
"""What figures that are rates begin with, up to a `_`, a `@` or a number; others are printed as they are."""

UNDEFINED = "-"
ENDS = ("from", "to")
NO_ENDS = (None, None)


ACROSS = ("eer", "apcer", "bpcer", "acer", "auc")
"""The figures that tables across data sets have, in their order."""


def tables(
    results: Sequence[Result], *, train_hours: float | None = None, lead: Sequence[str] = PUBLISHED
) -> list[Table]:
    """Everything there is to print about results.

    Args:
        results: at least one, e.g. of dev and test.
        train_hours: how long training took, where it is known.
        lead: the rates of the first table, in their order.
    """
    found = (
        published_table(results, train_hours=train_hours, lead=lead),
        further_rates_table(results, lead=lead),
        species_table(results),
        other_table(results),
    )
    return [table for table in found if table is not None]


def published_table(
    results: Sequence[Result], *, train_hours: float | None = None, lead: Sequence[str] = PUBLISHED
) -> Table:
    """The leading columns, one row a result (and two for its intervals), and the notes below."""
    present, thresholds = _figures(results), _thresholds(results)
    several = len(thresholds) > 1
    return _rates_table(
        results,
        [key for key in lead if key in present],
        title=f"Rates in %, {'each at its own threshold' if several else thresholds[0]}",
        note="\n".join([*(thresholds if several else ()), *_notes(results), *_drawn(results)]),
        hours=train_hours,
    )


def with_samples(table: Table, results: Sequence[Result]) -> Table:
    """A table of a row a result with the number of samples in its second column."""
    totals = {result.name: str(result.counts["total"]) for result in results}
    return evolve(
        table,
        columns=(table.columns[0], "samples", *table.columns[1:]),
        rows=[(row[0], totals.get(row[0], ""), *row[1:]) for row in table.rows],
    )


def further_rates_table(results: Sequence[Result], *, lead: Sequence[str] = PUBLISHED) -> Table | None:
    """The other rates, likewise; None when there are none."""
    keys = [key for key in _figures(results) if key not in lead and is_rate(key)]
    return _rates_table(results, keys, title="Further rates in %, max: the worst species'") if keys else None


def species_table(results: Sequence[Result]) -> Table | None:
    """APCER and number of attacks, one row a species of a result; None without attacks."""
    rows = [(result, name, found) for result in results for name, found in result.species.items()]
    if not rows:
        return None
    ends = ENDS if any(result.intervals for result in results) else ()
    silent = ["no score"] if any(found.no_response for _, _, found in rows) else []
    return Table(
        title="Attacks accepted in %, by species",
        columns=("", "species", "APCER", *ends, "attacks", *silent),
        rows=[_species_row(*row, ends=bool(ends), silent=bool(silent)) for row in rows],
        left=(0, 1),
    )


def other_table(results: Sequence[Result]) -> Table | None:
    """Figures that are no rates, as plain numbers, one row each; None when there are none."""
    keys = [key for key in _figures(results) if not is_rate(key)]
    if not keys:
        return None
    columns: list[str] = []
    for result in results:
        columns += [result.name, *(f"{result.name}\n{end}" for end in ENDS if result.intervals)]
    return Table(
        title="Further figures",
        columns=("", *columns),
        rows=[(key, *(cell for result in results for cell in _other_cells(result, key))) for key in keys],
    )


def _rates_table(
    results: Sequence[Result],
    keys: Sequence[str],
    *,
    title: str,
    note: str = "",
    hours: float | None = None,
) -> Table:
    rows: list[Sequence[str]] = []
    for result in results:
        values = [percent(result.metrics.get(key)) for key in keys]
        rows.append([result.name, *values, *([] if hours is None else [f"{hours:.2f}"])])
        for index, end in enumerate(ENDS if result.intervals else ()):
            bounds = [percent(_interval(result, key)[index]) for key in keys]
            rows.append([_dim(cell) for cell in (f"  {end}", *bounds, *([] if hours is None else [""]))])
    columns = ("", *map(_head, keys), *([] if hours is None else ["Train\nhours"]))
    return Table(title=title, columns=columns, rows=rows, note=note)


def _species_row(
    result: Result, name: str, found: SpeciesResult, *, ends: bool, silent: bool
) -> tuple[str, ...]:
    bounds = result.intervals.species.get(name, NO_ENDS) if result.intervals else NO_ENDS
    return (
        result.name,
        name,
        percent(found.apcer),
        *(_dim(percent(bound)) for bound in bounds if ends),
        str(found.count),
        *([str(found.no_response)] if silent else []),
    )


def _other_cells(result: Result, key: str) -> list[str]:
    bounds = _interval(result, key) if result.intervals else ()
    return [plain(result.metrics.get(key)), *(_dim(plain(bound)) for bound in bounds)]


def _figures(results: Iterable[Result]) -> list[str]:
    return list(dict.fromkeys(key for result in results for key in result.metrics))


def is_rate(key: str) -> bool:
    """Whether a figure is shown in %."""
    return re.split(r"[_@\d]", key, maxsplit=1)[0] in RATES


def _head(key: str) -> str:
    """In lines: `tpr@fpr=1e-2` -> TPR@FPR, =1e-2; `acer_max` -> ACER, max."""
    rate, equals, target = key.partition("=")
    name = "Acc" if rate == "acc" else rate.upper().replace("_MAX@", " max\n@").replace("_MAX", "\nmax")
    return name + (f"\n={target}" if equals else "")


def figure_name(key: str) -> str:
    """The same in one line: TPR@FPR=1e-2, ACER max."""
    return _head(key).replace("\n=", "=").replace("\n", " ")


def _thresholds(results: Iterable[Result]) -> list[str]:
    """What was accepted; for each result where they differ."""
    return _said(
        {found.name: found.threshold.text() if found.threshold else "no threshold" for found in results}
    )


def _notes(results: Sequence[Result]) -> list[str]:
    """Each with its result's name, but once and without one where all results have it."""
    notes = dict.fromkeys((result.name, note) for result in results for note in result.notes)
    shared = {note for _, note in notes if all(note in result.notes for result in results)}
    return list(dict.fromkeys(note if note in shared else f"{name}: {note}" for name, note in notes))


def _drawn(results: Iterable[Result]) -> list[str]:
    """What the intervals are."""
    return _said({result.name: _described(result.intervals) for result in results if result.intervals})


def _described(found: Intervals) -> str:
    several = "" if found.groups == 1 else "s"
    why = ": not every subject or video is known" if found.by == "sample" else ""
    return (
        f"from, to: {100 * found.level:g} % intervals, {found.replicates} bootstrap replicates "
        f"over {found.groups} {found.by}{several}{why}"
    )


def _said(texts: dict[str, str]) -> list[str]:
    """The one text, if all are the same, or each with its name."""
    if len(set(texts.values())) == 1:
        return [next(iter(texts.values()))]
    return [f"{name}: {text}" for name, text in texts.items()]


def _interval(result: Result, key: str) -> tuple[float | None, float | None]:
    return result.intervals.figures.get(key, NO_ENDS) if result.intervals else NO_ENDS


def _dim(cell: str) -> Styled:
    return Styled(cell, "dim")


def percent(value: float | None) -> str:
    """0.12345 -> 12.35."""
    return UNDEFINED if value is None or isnan(value) else f"{100 * value:.2f}"


def plain(value: float | None) -> str:
    """Four digits."""
    return UNDEFINED if value is None or isnan(value) else f"{value:.4g}"
