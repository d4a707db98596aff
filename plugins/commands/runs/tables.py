"""The tables of `fas runs`."""

from __future__ import annotations

from collections.abc import Sequence

from fas_core.evaluation.formatting import figure_name, is_rate, percent, plain
from fas_core.text_table import Table
from fas_plugins.commands.runs.compare_runs import Comparison, Difference
from fas_plugins.commands.runs.find_runs import DAMAGED, RunRow

ABSENT = "-"


def runs_table(rows: Sequence[RunRow]) -> Table:
    """Return a row for each run; a damaged one has its reason in place of the recipe."""
    tagged = any(row.tags for row in rows)
    columns = ("run", "state", "epoch", "EER", "ACER", *(("tags",) if tagged else ()), "recipe")
    cells = [
        (
            row.name,
            row.state,
            ABSENT if row.epochs is None else f"{row.epoch}/{row.epochs}",
            percent(row.best.get("eer")),
            percent(row.best.get("acer")),
            *((", ".join(row.tags),) if tagged else ()),
            row.reason if row.state == DAMAGED else row.recipe,
        )
        for row in rows
    ]
    note = "EER and ACER: in %, on dev after the epoch of the lowest EER"
    return Table("", columns, cells, note, left=(0, 1, 5, 6))


def comparison_tables(comparison: Comparison, names: Sequence[str]) -> list[Table]:
    """Return a table for each of recipe, data, environment and splits in which the runs differ."""
    sections = {"Recipe": comparison.recipe, "Data, by fingerprint of the samples": comparison.data or []}
    sections["Environment"] = comparison.environment
    tables = [_text_table(title, rows, names) for title, rows in sections.items() if rows]
    figures = comparison.figures or {}
    return tables + [_figures_table(split, rows, names) for split, rows in figures.items() if rows]


def describe_agreement(comparison: Comparison) -> list[str]:
    """Return a line for what does not differ, and for what cannot be compared."""
    figures = comparison.figures
    differs = None if figures is None else any(figures.values())
    sections = {
        "recipe": bool(comparison.recipe),
        "data": None if comparison.data is None else bool(comparison.data),
        "environment": bool(comparison.environment),
        "figures": differs,
    }
    same = [name for name, differ in sections.items() if differ is False]
    unknown = [name for name, differ in sections.items() if differ is None]
    lines = [f"the same: {', '.join(same)}"] if same else []
    return lines + ([f"not compared, as a run is not finished: {', '.join(unknown)}"] if unknown else [])


def _text_table(title: str, rows: Sequence[Difference], names: Sequence[str]) -> Table:
    cells = [(row.key, *(str(row.values.get(side, ABSENT)) for side in "ab")) for row in rows]
    return Table(title, ("", *names), cells, left=(0, 1, 2))


def _figures_table(split: str, rows: Sequence[Difference], names: Sequence[str]) -> Table:
    cells = []
    for row in rows:
        a, b = row.values.get("a"), row.values.get("b")
        shown = percent if is_rate(row.key) else plain
        change = ABSENT if a is None or b is None else ("+" if b > a else "") + shown(b - a)
        cells.append((figure_name(row.key), shown(a), shown(b), change))
    return Table(f"{split}, rates in %", ("", *names, "change"), cells)
