"""The history of a run: what it was trained with when it started, and whatever of that changed on the way.

`history.json` is a list of entries, the start's first. `fas train --resume` compares the conditions with the
last entry, and adds one where they differ. Runs of former versions have no history until they are resumed.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from attrs import asdict, evolve, frozen

from fas_core.config.plain import structure_plain
from fas_core.contracts import DatasetReader
from fas_core.errors import DataError, FasError
from fas_core.runs import files
from fas_core.runs.conditions import Conditions
from fas_core.runs.run import Run
from fas_core.text_files import read_json

UNKNOWN = f"there is no {files.HISTORY}: whether data, recipe and versions are the same is not known"


@frozen
class Entry:
    """What a run is trained with from a position on.

    Args:
        time: in UTC, e.g. `2026-03-01 14:05:00+00:00`.
        position: from which on, e.g. `epoch 3, after batch 120`.
        changes: since the entry before, a line each.
        conditions: what it is trained with.
    """

    time: str
    position: str
    changes: tuple[str, ...]
    conditions: Conditions


def start_history(run: Run, reader: DatasetReader, position: str) -> None:
    """Write the first entry of a run that starts; raise FasError if it cannot be written."""
    _write(run, [Entry(_now(), position, (), Conditions.of(run, reader))])


def find_changes(run: Run, reader: DatasetReader, *, anyway: bool) -> Entry | None:
    """Compare what a run would go on with and what it was trained with so far.

    Returns:
        An entry for `add_entry`, still without its position; None where nothing differs.

    Raises:
        FasError: the run's figures would change, and it is not to go on `anyway`; a line for each difference.
    """
    now, history = Conditions.of(run, reader), read_history(run)
    if not history:
        return Entry(_now(), "", (UNKNOWN,), now)
    differences = now.compare(history[-1].conditions, run.registry)
    if differences.decisive and not anyway:
        raise FasError(
            f"{run.path}: data, recipe or versions are not those it was trained with, so its figures would "
            "change: restore them, or add --anyway",
            differences.lines,
        )
    return Entry(_now(), "", differences.lines, now) if differences.lines else None


def add_entry(run: Run, entry: Entry, position: str) -> None:
    """Add an entry, from a position on; raise FasError if it cannot be written."""
    _write(run, [*read_history(run), evolve(entry, position=position)])


def _now() -> str:
    return datetime.now(UTC).isoformat(sep=" ", timespec="seconds")


def _write(run: Run, entries: list[Entry]) -> None:
    run.write_text(files.HISTORY, json.dumps([asdict(entry) for entry in entries], indent=2) + "\n")


def read_history(run: Run) -> list[Entry]:
    """Read the history of a run, empty where it has none; raise DataError if it is damaged."""
    file = run.path / files.HISTORY
    if not file.is_file():
        return []
    try:
        return list(structure_plain(read_json(file), tuple[Entry, ...], str(file)))
    except FasError as error:
        raise DataError(f"{file}: damaged: remove it, to go on without comparing what changed") from error
