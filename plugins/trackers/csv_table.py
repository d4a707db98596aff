"""The tracker `csv`: the figures of a run's epochs as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from fas_core import NoOptions, hookimpl
from fas_core.atomic import write_text
from fas_core.records.run_events import EpochFinished, Record, RunStarted, flatten_figures

FILE = "epochs.csv"


class CsvTable:
    """Writes `epochs.csv` after each epoch: the epoch and its figures; a figure that it lacks is empty."""

    def __init__(self, options: NoOptions) -> None:
        self._records: list[Record] = []

    @hookimpl
    def fas_run_started(self, event: RunStarted) -> None:
        self._records = list(event.history)

    @hookimpl
    def fas_epoch_finished(self, event: EpochFinished) -> None:
        self._records.append(event.record)
        write_text(event.path / FILE, format_table(self._records))


def format_table(records: Sequence[Record]) -> str:
    """Return the records of epochs as CSV, with a column for every figure that one of them has."""
    rows = [{"epoch": record["epoch"], **flatten_figures(record)} for record in records]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
