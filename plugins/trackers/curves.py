"""The training curves of every run, `curves.png` in its folder, drawn by the event hooks.

They are a plugin of their own: `--disable-plugin curves` leaves them out.
"""

from __future__ import annotations

import time
from pathlib import Path

from fas_core import hookimpl
from fas_core.errors import require
from fas_core.records.run_events import EpochFinished, RunFailed, RunFinished
from fas_core.text_files import parse_json, read_text

FILE, RECORDS = "curves.png", "metrics.jsonl"
INTERVAL = 30.0
"""Least seconds between two drawings while the run is trained."""


@hookimpl
def fas_epoch_finished(event: EpochFinished) -> None:
    file = event.path / FILE
    if not file.exists() or time.time() - file.stat().st_mtime >= INTERVAL:
        draw(event.path)


@hookimpl
def fas_run_finished(event: RunFinished) -> None:
    if not _is_drawn(event.path):
        draw(event.path)


@hookimpl
def fas_run_failed(event: RunFailed) -> None:
    if (event.path / FILE).exists() and not _is_drawn(event.path):
        draw(event.path)


def _is_drawn(run: Path) -> bool:
    """Return whether the last epoch is drawn: drawing takes longer than the clock of files is coarse."""
    file = run / FILE
    return file.exists() and file.stat().st_mtime_ns > (run / RECORDS).stat().st_mtime_ns


def draw(run: Path) -> None:
    """Draw the curves of a run from its `metrics.jsonl`.

    Raises:
        FasError: matplotlib is not installed, or the file cannot be written.
    """
    require("report", "matplotlib")
    from fas_plugins.trackers.curves_figure import draw_curves

    file = run / RECORDS
    records = [parse_json(line, str(file)) for line in read_text(file).splitlines()]
    draw_curves(records, run.name, run / FILE)
