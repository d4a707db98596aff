"""The progress of a task: how much is done, how fast, and how long the rest takes; the console shows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import define, field

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

Clock = Callable[[], float]

NOTEBOOK_INTERVAL = 0.5
"""Seconds between two drawings of the bars in a notebook."""


@define
class Progress:
    """The progress of a task of `total` steps, None where nobody knows how many.

    Args:
        description: the task, e.g. `epoch 1/30`.
        total: number of steps.
        unit: what a step is, in the plural, e.g. `samples`.
        done: number of finished steps; those of an earlier process do not count for the speed.
        clock: seconds.
        show: called after each change.
    """

    description: str
    total: int | None = None
    unit: str = "steps"
    done: int = 0
    clock: Clock = time.monotonic
    show: Callable[[Progress], None] = field(default=lambda _: None, repr=False)
    values: dict[str, object] = field(factory=dict, init=False)
    _before: int = field(init=False)
    _start: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._before, self._start = self.done, self.clock()

    def advance(self, n: int = 1, /, **values: object) -> None:
        """Count `n` more steps; `values` are shown as `name value`."""
        self.done += n
        self.values = values
        self.show(self)

    @property
    def speed(self) -> float:
        """Steps per second."""
        return (self.done - self._before) / max(self.clock() - self._start, 1e-9)

    @property
    def remaining_seconds(self) -> float | None:
        """Seconds that the other steps take at this speed; None where that is not known, or none is left."""
        if self.total is None or self.done == self._before or self.done >= self.total:
            return None
        return (self.total - self.done) / self.speed

    def describe(self) -> str:
        """Return e.g. `epoch 1/30: 640 of 1800 samples, 21/s, 54 s left, loss 0.231`."""
        count = str(self.done) if self.total is None else f"{self.done} of {self.total}"
        return f"{self.description}: {', '.join([f'{count} {self.unit}', *self.figures])}"

    def describe_time(self) -> str:
        """Return how long it took, e.g. `epoch 1/30: 1800 samples in 85.7 s`."""
        seconds = self.clock() - self._start
        return f"{self.description}: {self.done - self._before} {self.unit} in {seconds:.3g} s"

    @property
    def figures(self) -> list[str]:
        """Speed, remaining time and values as text, e.g. `["21/s", "54 s left", "loss 0.231"]`."""
        remaining = self.remaining_seconds
        left = [] if remaining is None else [f"{format_duration(remaining)} left"]
        return [format_speed(self.speed), *left, *(f"{name} {value}" for name, value in self.values.items())]


@contextmanager
def draw_bar(progress: Progress, console: RichConsole) -> Iterator[None]:
    """Draw a bar in a terminal while the block runs; one within another is drawn below it."""
    with _build_bars(console=console, transient=True) as bars:
        task = _add_bar(bars, progress)
        progress.show = lambda progress: _update_bar(bars, task, progress)
        yield


@define
class NotebookBars:
    """The bars of a task, and of those within it, in the output of a notebook's cell.

    They are drawn at most twice a second. That of the outer task stays when it ends. IPython alone is needed,
    no widgets.
    """

    clock: Clock
    _bars: RichProgress = field(init=False)
    _output: Any = field(default=None, init=False)
    _due: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._bars = _build_bars(auto_refresh=False)

    @contextmanager
    def draw(self, progress: Progress) -> Iterator[None]:
        """Draw a bar while the block runs; one within another is drawn below it."""
        is_outer = self._output is None
        task = _add_bar(self._bars, progress)
        self._redraw()

        def show(progress: Progress) -> None:
            _update_bar(self._bars, task, progress)
            if self.clock() >= self._due:
                self._redraw()

        progress.show = show
        try:
            yield
        finally:
            if not is_outer:
                self._bars.remove_task(task)
            self._redraw()

    def _redraw(self) -> None:
        self._due = self.clock() + NOTEBOOK_INTERVAL
        if self._output is None:
            from IPython.display import display

            self._output = display(self._bars, display_id=True)
        else:
            self._output.update(self._bars)


def _build_bars(**options: Any) -> RichProgress:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=12), MofNCompleteColumn())
    return RichProgress(*columns, TextColumn("{task.fields[values]}", markup=False), **options)


def _add_bar(bars: RichProgress, progress: Progress) -> TaskID:
    return bars.add_task(progress.description, total=progress.total, completed=progress.done, values="")


def _update_bar(bars: RichProgress, task: TaskID, progress: Progress) -> None:
    bars.update(task, completed=progress.done, values="  ".join(progress.figures))


def format_speed(speed: float) -> str:
    """Return steps per second with two digits or more, or the time of a step where it takes longer.

    >>> format_speed(123.4), format_speed(2.345), format_speed(0.05)
    ('123/s', '2.3/s', '20 s each')
    """
    if speed >= 1 or speed <= 0:
        return f"{speed:.0f}/s" if speed >= 10 or speed <= 0 else f"{speed:.1f}/s"
    return f"{format_duration(1 / speed)} each"


def format_duration(seconds: float) -> str:
    """Return e.g. `40 s`, `12 min` or `3 h 20 min`.

    >>> format_duration(39.6), format_duration(180), format_duration(12000)
    ('40 s', '3 min', '3 h 20 min')
    """
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
