"""The console: all output of the commands goes through it.

A terminal gets colour, progress bars and tables that fit its width; a pipe gets plain text, and a line every
30 seconds of a long task; with `--json` stdout gets one document and everything else goes to stderr.
"""

from __future__ import annotations

import io
import json
import math
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any, TextIO

from attrs import define, field, frozen

from fas_core.progress import Clock, Progress, draw_bar
from fas_core.streams import duplicate_stdout

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

PROGRESS_INTERVAL = 30.0
"""Seconds between two lines of progress where there is no terminal."""


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


@define
class Console:
    """Output to stdout and stderr. A command sets `json`, `quiet` and `verbose`; `clock` gives seconds."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    clock: Clock = time.monotonic
    _rich: dict[bool, RichConsole] = field(factory=dict, init=False, repr=False)
    _warned: set[str] = field(factory=set, init=False, repr=False)
    _reserved: TextIO | None = field(default=None, init=False, repr=False)

    def reset(self) -> None:
        """Forget the flags and warnings of a former command."""
        self.json = self.quiet = self.verbose = False
        self._warned.clear()

    @property
    def stdout(self) -> TextIO:
        """The stream of results: stdout, also where it is reserved."""
        return self._reserved or sys.stdout

    @contextmanager
    def reserve_stdout(self) -> Iterator[None]:
        """Keep stdout for this console: what else is printed in the block goes to stderr.

        That includes what C code and child processes write to the file descriptor of stdout.
        """
        if self._reserved is not None:
            yield
            return
        with duplicate_stdout(sys.stdout) as self._reserved, redirect_stdout(sys.stderr):
            try:
                yield
            finally:
                self._reserved = None

    def rich(self, *, stderr: bool = False) -> RichConsole:
        """Return the rich console of stdout or stderr, made when the stream is first used or replaced."""
        from rich.console import Console as RichConsole

        stream = sys.stderr if stderr else self.stdout
        rich = self._rich.get(stderr)
        if rich is None or rich.file is not stream:
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # paths may have characters it cannot encode
            rich = self._rich[stderr] = RichConsole(file=stream, highlight=False, soft_wrap=True)
        return rich

    @property
    def width(self) -> int:
        """Width of the output in characters: the terminal's, at most 80; in a pipe 80."""
        return min(self._text_console.width, 80) if self._text_console.is_terminal else 80

    @property
    def blocks(self) -> bool:
        """Whether Unicode's block characters can be shown: in a terminal with a Unicode encoding."""
        return self._text_console.is_terminal and self._text_console.encoding.lower().startswith("utf")

    @property
    def _text_console(self) -> RichConsole:
        """The console of everything but the JSON document."""
        return self.rich(stderr=self.json)

    def info(self, text: str = "") -> None:
        """Print a line of progress or result, unless `--quiet`."""
        if not self.quiet:
            self._text_console.print(text, markup=False)

    def warn(self, text: str) -> None:
        """Print a warning on stderr."""
        self.rich(stderr=True).print(f"warning: {text}", style="yellow", markup=False)

    def warn_once(self, text: str) -> None:
        """Print a warning on stderr, unless the same one was printed before."""
        if text not in self._warned:
            self._warned.add(text)
            self.warn(text)

    def error(self, text: str) -> None:
        """Print on stderr why the command ends."""
        self.rich(stderr=True).print(f"error: {text}", style="bold red", markup=False)

    def table(self, table: Table) -> None:
        """Print a table: with rules in a terminal, as aligned text in a pipe, not at all with `--json`."""
        if self.quiet or self.json:
            return
        rich = self._text_console
        if not rich.is_terminal:
            rich.print("\n".join(filter(None, (table.title, _format_plain(table), table.note))), markup=False)
            return
        if table.title:
            rich.print()
            rich.print(table.title, style="bold", markup=False, soft_wrap=False)
        for block in _split_columns(table, rich.width):
            rich.print(_render(block), soft_wrap=False)
        if table.note:
            rich.print(table.note, markup=False, soft_wrap=False)

    def document(self, value: object) -> None:
        """Write the JSON document of `--json` to stdout; NaN and infinities become null."""
        self.stdout.write(json.dumps(_replace_non_finite(value), indent=2, allow_nan=False) + "\n")
        self.stdout.flush()

    def next_steps(self, *commands: Sequence[object]) -> None:
        """Print commands that go on from here, each as its words, quoted for a shell; not with `--json`."""
        if self.json:
            return
        self.info("next:")
        for words in commands:
            self.info(f"  {shlex.join(map(str, words))}")

    @contextmanager
    def progress(
        self, description: str, total: int | None, unit: str = "steps", *, done: int = 0
    ) -> Iterator[Progress]:
        """Show on stderr how far the block is: a bar in a terminal, else a line every 30 seconds.

        The arguments are those of `Progress`, which the block advances.
        """
        progress = Progress(description, total, unit, done, self.clock)
        rich = self.rich(stderr=True)
        with ExitStack() as stack:
            if not self.quiet and rich.is_terminal:
                stack.enter_context(draw_bar(progress, rich))
            elif not self.quiet:
                progress.show = self._lines()
            yield progress

    def _lines(self) -> Callable[[Progress], None]:
        """Return what prints a line of progress once the last one is old."""
        due = self.clock() + PROGRESS_INTERVAL

        def print_line(progress: Progress) -> None:
            nonlocal due
            if self.clock() >= due:
                due = self.clock() + PROGRESS_INTERVAL
                self.rich(stderr=True).print(progress.describe(), markup=False)

        return print_line


GAP = 2
"""Characters between two columns."""


def _split_columns(table: Table, width: int) -> list[Table]:
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


def _render(table: Table) -> Any:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    rich_table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for index, name in enumerate(table.columns):
        rich_table.add_column(Text(name), justify="left" if index in table.left else "right", overflow="fold")
    for row in table.rows:
        rich_table.add_row(*(Text(cell, style=getattr(cell, "style", "")) for cell in row))
    return rich_table


def _format_plain(table: Table) -> str:
    """Return the table as aligned text; headers with fewer lines than others are aligned at the bottom."""
    headers = [name.split("\n") for name in table.columns]
    height = max(map(len, headers))
    header_rows = zip(*([""] * (height - len(lines)) + lines for lines in headers), strict=True)
    widths = _column_widths(table)
    aligns = ["<" if index in table.left else ">" for index in range(len(widths))]
    line = "  ".join(f"{{:{align}{width}}}" for align, width in zip(aligns, widths, strict=True))
    return "\n".join(line.format(*row).rstrip() for row in (*header_rows, *table.rows))


def _replace_non_finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _replace_non_finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replace_non_finite(item) for item in value]
    return value


console = Console()
