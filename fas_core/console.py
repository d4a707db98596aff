"""The one console. Commands say things through it and never print by themselves.

A terminal gets colour, progress bars and tables that fit it; a pipe gets plain lines, one row a line;
with `--json` stdout carries one document and everything else goes to stderr.
"""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.progress import Progress, TaskID


class Styled(str):
    """A cell that a terminal shows in a style of rich's, e.g. `dim`; a pipe gets it as it is."""

    style: str

    def __new__(cls, text: str, style: str) -> Styled:
        styled = super().__new__(cls, text)
        styled.style = style
        return styled


@frozen
class Table:
    """A table of strings: the first column is left-aligned, the others right-aligned unless told.

    In a terminal that is too narrow text is folded, and a table of figures, in which only the first
    column is left-aligned, goes on in a second block below instead.

    Args:
        title: printed above.
        columns: headers; one may have several lines.
        rows: cells, one tuple of the columns' length each; one may be `Styled`.
        note: printed below.
        left: indices of further left-aligned columns.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    left: Sequence[int] = (0,)


@define
class Bar:
    """A progress bar in a terminal; silent in a pipe."""

    _progress: Progress | None
    _task: TaskID | None

    def advance(self, n: int = 1, /, **fields: object) -> None:
        """Count `n` more done, and show `name value` for each field."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, advance=n)
            if fields:
                text = "  ".join(f"{name} {value}" for name, value in fields.items())
                self._progress.update(self._task, fields=text)


@define
class Console:
    """Where output goes. `json` and `quiet` are set once, by the command's flags."""

    json: bool = False
    quiet: bool = False
    _rich: dict[bool, RichConsole] = field(factory=dict, init=False, repr=False)

    def rich(self, *, stderr: bool = False) -> RichConsole:
        """The rich console of one stream, made on first use and again when the stream changes."""
        from rich.console import Console as RichConsole

        stream = sys.stderr if stderr else sys.stdout
        made = self._rich.get(stderr)
        if made is None or made.file is not stream:
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a path may hold what the encoding does not
            made = self._rich[stderr] = RichConsole(file=stream, highlight=False, soft_wrap=True)
        return made

    @property
    def width(self) -> int:
        """How many columns fit: at most 80, and that in a pipe."""
        return min(self._human.width, 80) if self._human.is_terminal else 80

    @property
    def blocks(self) -> bool:
        """Whether Unicode's block characters will be seen as such: in a terminal that speaks it."""
        return self._human.is_terminal and self._human.encoding.lower().startswith("utf")

    @property
    def _human(self) -> RichConsole:
        return self.rich(stderr=self.json)

    def info(self, text: str = "") -> None:
        """A line of progress or result; silent with `--quiet`."""
        if not self.quiet:
            self._human.print(text, markup=False)

    def warn(self, text: str) -> None:
        """A line on stderr about something that deserves a look."""
        self.rich(stderr=True).print(f"warning: {text}", style="yellow", markup=False)

    def error(self, text: str) -> None:
        """Why the command stops, on stderr."""
        self.rich(stderr=True).print(f"error: {text}", style="bold red", markup=False)

    def table(self, table: Table) -> None:
        """Draw a table in a terminal, or align it as plain text in a pipe; `--json` has no tables."""
        if self.quiet or self.json:
            return
        human = self._human
        if not human.is_terminal:
            human.print("\n".join(filter(None, (table.title, _plain(table), table.note))), markup=False)
            return
        if table.title:
            human.print()
            human.print(table.title, style="bold", markup=False, soft_wrap=False)
        for block in _blocks(table, human.width):
            human.print(_drawn(block), soft_wrap=False)
        if table.note:
            human.print(table.note, markup=False, soft_wrap=False)

    def document(self, value: object) -> None:
        """The one JSON document of `--json`, on stdout; NaN and infinities become null."""
        sys.stdout.write(json.dumps(_finite(value), indent=2, allow_nan=False) + "\n")
        sys.stdout.flush()

    @contextmanager
    def progress(self, description: str, total: int | None) -> Iterator[Bar]:
        """A bar of `total` steps around a block."""
        human = self.rich(stderr=True)
        if self.quiet or not human.is_terminal:
            yield Bar(None, None)
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        with Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[fields]}"),
            console=human,
            transient=True,
        ) as progress:
            yield Bar(progress, progress.add_task(description, total=total, fields=""))


GAP = 2
"""Between columns."""


def _blocks(table: Table, width: int) -> list[Table]:
    """The table, or if its figures need more than `width`, parts of it that each repeat the first column."""
    if tuple(table.left) != (0,):
        return [table]
    first, *needed = _widths(table)
    parts: list[list[int]] = []
    room = 0
    for index, cells in enumerate(needed, 1):
        if not parts or room < GAP + cells:
            parts.append([])
            room = width - first
        parts[-1].append(index)
        room -= GAP + cells
    return [_part(table, [0, *part]) for part in parts] or [table]


def _part(table: Table, indices: Sequence[int]) -> Table:
    rows = [[row[index] for index in indices] for row in table.rows if any(row[i] for i in indices[1:])]
    return Table(table.title, [table.columns[index] for index in indices], rows)


def _widths(table: Table) -> list[int]:
    grid = zip(table.columns, *table.rows, strict=True)
    return [max(len(line) for cell in column for line in cell.split("\n")) for column in grid]


def _drawn(table: Table) -> Any:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for index, name in enumerate(table.columns):
        drawn.add_column(Text(name), justify="left" if index in table.left else "right", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(cell, style=getattr(cell, "style", "")) for cell in row))
    return drawn


def _plain(table: Table) -> str:
    """Aligned text; headers of several lines stand at the bottom."""
    heads = [name.split("\n") for name in table.columns]
    height = max(map(len, heads))
    header = zip(*([""] * (height - len(lines)) + lines for lines in heads), strict=True)
    grid = [*header, *table.rows]
    widths = _widths(table)
    lines = [
        "  ".join(
            cell.ljust(width) if index in table.left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in grid
    ]
    return "\n".join(lines)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


console = Console()
