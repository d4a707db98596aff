"""The one console. Commands say things through it and never print by themselves.

A terminal gets colour, progress bars and tables; a pipe gets plain lines; with `--json` stdout
carries one document and everything else goes to stderr.
"""

from __future__ import annotations

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


@frozen
class Table:
    """A table of strings: the first column is left-aligned, the others right-aligned unless told.

    Args:
        title: printed above.
        columns: headers; one may have several lines.
        rows: cells, one tuple of the columns' length each.
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
            made = self._rich[stderr] = RichConsole(file=stream, highlight=False, soft_wrap=True)
        return made

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
        if human.is_terminal:
            human.print(_drawn(table), soft_wrap=False)
        else:
            human.print(_plain(table), markup=False)

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


def _drawn(table: Table) -> Any:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(
        title=Text(table.title),
        title_justify="left",
        caption=Text(table.note) if table.note else None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        collapse_padding=True,
    )
    for index, name in enumerate(table.columns):
        drawn.add_column(Text(name), justify="left" if index in table.left else "right", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(cell) for cell in row))
    return drawn


def _plain(table: Table) -> str:
    """Aligned text; headers of several lines stand at the bottom."""
    heads = [name.split("\n") for name in table.columns]
    height = max(map(len, heads))
    header = zip(*([""] * (height - len(lines)) + lines for lines in heads), strict=True)
    grid = [*map(list, header), *map(list, table.rows)]
    widths = [max(len(row[index]) for row in grid) for index in range(len(table.columns))]
    lines = [
        "  ".join(
            cell.ljust(width) if index in table.left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in grid
    ]
    return "\n".join(filter(None, (table.title, *lines, table.note)))


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


console = Console()
