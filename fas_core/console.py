"""The console: all output of the commands goes through it.

A terminal gets colour, progress bars and tables that fit its width, a notebook gets progress bars. A pipe
gets plain text, and a line every 30 seconds of a long task. With `--json` stdout gets one document, and all
else goes to stderr.

`--quiet` leaves results, warnings and errors: lines of `info`, next steps and progress are left out.
`--verbose` adds details, and how long each task took, on stderr.

Names of files, species and plugins are shown as text, never as markup, with control characters escaped. Only
the JSON document has them as they are.
"""

from __future__ import annotations

import errno
import io
import json
import math
import os
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any, TextIO

from attrs import define, field

from fas_core.errors import FasError
from fas_core.names import escape_controls, escape_lines, to_json
from fas_core.progress import Clock, NotebookBars, Progress, draw_bar
from fas_core.streams import duplicate_stdout
from fas_core.text_table import Table, escape_table, format_text, render, split_columns

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

PROGRESS_INTERVAL = 30.0
"""Seconds between two lines of progress where there is no terminal."""

ESCAPES = "backslashreplace"
"""Of characters in paths that the encoding of a stream lacks."""

FORCING = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""Variables of the environment by which a pipe may count as a terminal."""


@define
class Console:
    """Output to stdout and stderr. A command sets `json`, `quiet` and `verbose`; `clock` gives seconds."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    clock: Clock = time.monotonic
    _rich: dict[bool, RichConsole] = field(factory=dict, init=False, repr=False)
    _warned: set[str] = field(factory=set, init=False, repr=False)
    _tasks: list[Progress] = field(factory=list, init=False, repr=False)
    _due: float = field(default=0.0, init=False, repr=False)
    _notebook: NotebookBars | None = field(default=None, init=False, repr=False)
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
        stream = self._stream(stderr)
        rich = self._rich.get(stderr)
        if rich is None or rich.file is not stream:
            rich = self._rich[stderr] = _open_console(stream)
        return rich

    def _stream(self, stderr: bool) -> TextIO | None:
        """Return stdout or stderr; None if it is closed. Characters that it cannot encode are escaped."""
        stream = sys.stderr if stderr else self.stdout
        stream = getattr(stream, "rich_proxied_file", stream)  # while a bar is drawn
        if isinstance(stream, io.TextIOWrapper) and stream.errors != ESCAPES:
            stream.reconfigure(errors=ESCAPES)
        return stream

    def _is_terminal(self, stderr: bool) -> bool:
        return not _is_plain(self._stream(stderr)) and self.rich(stderr=stderr).is_terminal

    @property
    def width(self) -> int:
        """Width of the output in characters: the terminal's, at most 80; in a pipe 80."""
        return min(self.rich(stderr=self.json).width, 80) if self._is_terminal(self.json) else 80

    @property
    def blocks(self) -> bool:
        """Whether Unicode's block characters can be shown: in a terminal with a Unicode encoding."""
        return self._is_terminal(self.json) and self.rich(stderr=self.json).encoding.lower().startswith("utf")

    def info(self, text: str = "") -> None:
        """Print a line about what is done, unless `--quiet`."""
        if not self.quiet:
            self.result(text)

    def result(self, text: str) -> None:
        """Print a line that the command was called for."""
        self._print(escape_controls(text))

    def lines(self, text: str) -> None:
        """Print a result of several lines, such as a recipe."""
        self._print(escape_lines(text))

    def detail(self, text: str) -> None:
        """Print a line on stderr with `--verbose` only."""
        if self.verbose:
            self._print(escape_controls(text), stderr=True, style="dim")

    def warn(self, text: str) -> None:
        """Print a warning on stderr."""
        self._print(f"warning: {escape_controls(text)}", stderr=True, style="yellow")

    def warn_once(self, text: str) -> None:
        """Print a warning on stderr, unless the same one was printed before."""
        if text not in self._warned:
            self._warned.add(text)
            self.warn(text)

    def error(self, text: str, problems: Sequence[str] = ()) -> None:
        """Print on stderr why the command ends: a line, and one for each of several mistakes."""
        lines = map(escape_controls, (text, *problems))
        self._print("error: " + "\n  ".join(lines), stderr=True, style="bold red")

    def table(self, table: Table) -> None:
        """Print a table: with rules in a terminal, as aligned text in a pipe, not at all with `--json`."""
        if self.json:
            return
        table = escape_table(table)
        if not self._is_terminal(stderr=False):
            self._print(format_text(table))
            return
        if table.title:
            self._print("")
            self._print(table.title, style="bold", soft_wrap=False)
        for block in split_columns(table, self.rich().width):
            self._print(render(block), soft_wrap=False)
        if table.note:
            self._print(table.note, soft_wrap=False)

    def document(self, value: object) -> None:
        """Write the JSON document of `--json` to stdout; NaN and infinities become null."""
        with self._explaining_errors():
            if self.stdout is None:
                raise FasError("stdout: is closed, and --json writes to it")
            self.stdout.write(json.dumps(_to_json(value), indent=2, allow_nan=False) + "\n")
            self.stdout.flush()

    @contextmanager
    def flushing(self) -> Iterator[None]:
        """Flush stdout at the end of the block, so that a full disk or a closed pipe is noticed.

        Raises:
            FasError: stdout cannot be written.
        """
        try:
            yield
        finally:
            with self._explaining_errors():
                if self.stdout is not None:
                    self.stdout.flush()

    def discard_output(self) -> None:
        """Send what stdout still holds, and all that follows, nowhere: else Python fails when it ends."""
        _discard(self.stdout)

    def _print(self, text: Any, *, stderr: bool = False, style: str = "", soft_wrap: bool = True) -> None:
        """Print escaped text, or something of rich to a terminal.

        Raises:
            FasError: the output is a file on a full disk, for example.
        """
        to_stderr = stderr or self.json or self._draws_over_stdout()
        with self._explaining_errors(to_stderr):
            stream = self._stream(to_stderr)
            if isinstance(text, str) and _is_plain(stream):
                _write_line(stream, text)
            else:
                rich = self.rich(stderr=to_stderr)
                rich.print(text, style=style or None, markup=False, soft_wrap=soft_wrap)

    def _draws_over_stdout(self) -> bool:
        """Whether a bar is on the terminal of stdout: what goes above it goes through the console of bars."""
        return bool(self._tasks) and self._is_terminal(stderr=True) and self._is_terminal(stderr=False)

    @contextmanager
    def _explaining_errors(self, stderr: bool = False) -> Iterator[None]:
        """Raise FasError where a stream cannot be written, but not where the reader of a pipe has left."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            _discard(sys.stderr if stderr else self.stdout)
            name = "stderr" if stderr else "stdout"
            raise FasError(f"{name}: cannot be written: {error.strerror or error}") from error

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
        """Show on stderr how far the block is: a bar in a terminal or notebook, else a line every 30 seconds.

        The arguments are those of `Progress`, which the block advances. A line of a task within another
        ends with how far the outer one is.
        """
        progress = Progress(escape_controls(description), total, unit, done, self.clock)
        is_plain = _is_plain(self._stream(stderr=True))
        if not self._tasks:
            self._due = self.clock() + PROGRESS_INTERVAL
            in_notebook = not is_plain and not self.quiet and self.rich(stderr=True).is_jupyter
            self._notebook = NotebookBars(self.clock) if in_notebook else None
        self._tasks.append(progress)
        with ExitStack() as stack:
            stack.callback(self._tasks.pop)
            if not self.quiet and self._is_terminal(stderr=True):
                stack.enter_context(draw_bar(progress, self.rich(stderr=True)))
            elif self._notebook is not None:
                stack.enter_context(self._notebook.draw(progress))
            elif not self.quiet:
                progress.show = self._print_due_line
            yield progress
        self.detail(progress.describe_time())

    def _print_due_line(self, _: Progress) -> None:
        """Print a line of all tasks, the innermost first, once the last line is old."""
        if self.clock() >= self._due:
            self._due = self.clock() + PROGRESS_INTERVAL
            text = "; ".join(task.describe() for task in reversed(self._tasks))
            self._print(escape_controls(text), stderr=True)


def _is_plain(stream: TextIO | None) -> bool:
    """Whether a stream takes plain lines, for which rich, slow to import, is not needed.

    Else rich decides: it has rules on terminals, notebooks and the variables of the environment.
    """
    if stream is None:
        return True
    return not (stream.isatty() or "IPython" in sys.modules or any(name in os.environ for name in FORCING))


def _write_line(stream: TextIO | None, text: str) -> None:
    if stream is not None:
        stream.write(f"{text}\n")
        stream.flush()


def _open_console(stream: TextIO | None) -> RichConsole:
    from rich.console import Console as RichConsole

    class StreamConsole(RichConsole):
        """A console whose closed pipe is an error like any other; rich itself would end the process."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError(errno.EPIPE, "closed by its reader")

    return StreamConsole(file=stream, highlight=False, soft_wrap=True, markup=False, emoji=False)


def _discard(stream: TextIO) -> None:
    with suppress(OSError):  # a stream of no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _to_json(value: object) -> object:
    """Return the value with null for numbers, and with valid Unicode for names, that JSON has not."""
    if isinstance(value, str):
        return to_json(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {to_json(str(key)): _to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(item) for item in value]
    return value


console = Console()
