"""The tracker `csv`: a line an epoch, also where epochs have different figures, and after a resumption."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fas_core import NoOptions
from fas_core.contracts import EpochFinished, RunStarted
from fas_plugins.trackers.csv_table import CsvTable

Record = Mapping[str, Any]

FIRST = {"epoch": 1, "loss": 0.5}
SECOND = {"epoch": 2, "loss": 0.25, "dev": {"eer": 0.125, "auc": None}, "best": True}


def follow(path: Path, history: tuple[Record, ...], *records: Record) -> list[dict[str, str]]:
    """Let a tracker follow these epochs; return the rows of its table."""
    tracker = CsvTable(NoOptions())
    tracker.fas_run_started(RunStarted(path, {}, "cpu", 1, 1, 2, history))
    for record in records:
        tracker.fas_epoch_finished(EpochFinished(path, record["epoch"], record))
    with (path / "epochs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_figure_that_an_epoch_lacks_is_empty(tmp_path: Path) -> None:
    assert follow(tmp_path, (), FIRST, SECOND) == [
        {"epoch": "1", "loss": "0.5", "dev/eer": ""},
        {"epoch": "2", "loss": "0.25", "dev/eer": "0.125"},
    ]


def test_a_run_that_goes_on_keeps_its_rows_and_has_none_twice(tmp_path: Path) -> None:
    whole = follow(tmp_path, (), FIRST, SECOND)
    assert follow(tmp_path, (FIRST,), SECOND) == whole
