"""Tables of text: escaped, divided to fit a terminal, drawn by rich, or aligned as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen

from fas_core.names import escape_controls, escape_lines


class Styled(str):
    """A table cell with a style of rich, e.g. `dim`, that only a terminal shows."""

    style: str

    def __new__(cls, text: str, style: str) -> Styled:
        styled = super().__new__(cls, text)
        styled.style = style
        return styled


@frozen
class Table:
    """A table of text; a narrow terminal wraps cells, or splits a table of numbers into blocks of columns.

    Args:
        columns: headers; they may have several lines.
        rows: the cells of each row, as many as columns; they may be `Styled`.
        note: text below the table.
        left: indices of the left-aligned columns; a table of numbers has the first one only.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    left: Sequence[int] = (0,)


def escape_table(table: Table) -> Table:
    """Return the table with control characters escaped; line breaks of headers, title and note stay."""
    return evolve(
        table,
        title=escape_lines(table.title),
        columns=[escape_lines(name) for name in table.columns],
        rows=[[_escape_cell(cell) for cell in row] for row in table.rows],
        note=escape_lines(table.note),
    )


def _escape_cell(cell: str) -> str:
    escaped = escape_controls(cell)
    return Styled(escaped, cell.style) if isinstance(cell, Styled) else escaped


GAP = 2
"""Characters between two columns."""


def split_columns(table: Table, width: int) -> list[Table]:
    """Split a table of numbers into tables that fit `width` and that all have the first column."""
    if tuple(table.left) != (0,):
        return [table]
    first, *others = _column_widths(table)
    blocks: list[list[int]] = []
    free = 0
    for index, column_width in enumerate(others, 1):
        if not blocks or free < GAP + column_width:
            blocks.append([])
            free = width - first
        blocks[-1].append(index)
        free -= GAP + column_width
    return [_select_columns(table, [0, *block]) for block in blocks] or [table]


def _select_columns(table: Table, indices: Sequence[int]) -> Table:
    """Return some columns of a table, without the rows that are empty there."""
    rows = [[row[index] for index in indices] for row in table.rows if any(row[i] for i in indices[1:])]
    return Table(table.title, [table.columns[index] for index in indices], rows)


def _column_widths(table: Table) -> list[int]:
    grid = zip(table.columns, *table.rows, strict=True)
    return [max(len(line) for cell in column for line in cell.split("\n")) for column in grid]


def render(table: Table) -> Any:
    """Return the table as rich draws it, with rules and styles."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    rich_table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for index, name in enumerate(table.columns):
        rich_table.add_column(Text(name), justify="left" if index in table.left else "right", overflow="fold")
    for row in table.rows:
        rich_table.add_row(*(Text(cell, style=getattr(cell, "style", "")) for cell in row))
    return rich_table


def format_text(table: Table) -> str:
    """Return the title, the aligned text and the note of an escaped table, as a pipe gets them."""
    return "\n".join(filter(None, (table.title, format_plain(table), table.note)))


def format_plain(table: Table) -> str:
    """Return the table as aligned text; headers with fewer lines than others are aligned at the bottom."""
    headers = [name.split("\n") for name in table.columns]
    height = max(map(len, headers))
    header_rows = zip(*([""] * (height - len(lines)) + lines for lines in headers), strict=True)
    widths = _column_widths(table)
    aligns = ["<" if index in table.left else ">" for index in range(len(widths))]
    line = "  ".join(f"{{:{align}{width}}}" for align, width in zip(aligns, widths, strict=True))
    return "\n".join(line.format(*row).rstrip() for row in (*header_rows, *table.rows))
