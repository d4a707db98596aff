"""The tracker `leaderboard`: a line for each finished run in one table."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from fas_core import hookimpl
from fas_lab.options import LeaderboardOptions

if TYPE_CHECKING:
    from fas_core.contracts import RunFinished


class Leaderboard:
    """Adds the figures of a run's splits to the table beside its folder; one that is not defined is empty."""

    def __init__(self, options: LeaderboardOptions) -> None:
        self.options = options

    @hookimpl
    def fas_run_finished(self, event: RunFinished) -> None:
        path = event.path.parent / self.options.file
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream, lineterminator="\n")
            if is_new:
                table.writerow(("run", "split", *self.options.figures))
            for split, result in event.results.items():
                figures = [result["metrics"].get(name) for name in self.options.figures]
                table.writerow((event.path.name, split, *figures))
