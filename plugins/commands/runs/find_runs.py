"""Every run below a folder, also in groups of runs, as a row; a damaged one has its reason in its row."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from fas_core.atomic import is_temporary
from fas_core.config.load import to_plain
from fas_core.errors import DataError, FasError
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.groups import FoldRuns, open_runs
from fas_core.runs.owner import is_owned
from fas_core.runs.run import Run
from fas_core.runs.run_sets import RunSet

FINISHED, RUNNING, STOPPED, NOT_STARTED = "finished", "running", "stopped", "not started"
IMPORTED, DAMAGED = "imported", "damaged"

RUN_FILES = (files.RECIPE, files.METRICS, files.STATE, files.BEST)
"""Each of these says that a folder is that of a run, if a damaged one."""

IMPORT_RECORD = "import.json"
"""What `fas import` leaves in the run that it makes of a checkpoint."""


@frozen
class RunRow:
    """A run as `fas runs list` shows it.

    Args:
        name: its path below the listed folder.
        state: `finished`, `running`, `stopped`, `not started` (of a group), `imported` or `damaged`.
        epoch: finished epochs; None where that is not known.
        epochs: epochs of its recipe.
        best: figures of dev after the epoch of its lowest EER, as fractions; empty without them.
        best_epoch: that epoch.
        recipe: the recipe in a line.
        tags: the recipe's.
        values: the whole recipe as plain data, which filters ask for.
        reason: why it is damaged; else empty.
    """

    name: str
    state: str
    epoch: int | None = None
    epochs: int | None = None
    best: Mapping[str, Any] = field(factory=dict)
    best_epoch: int | None = None
    recipe: str = ""
    tags: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(factory=dict, repr=False)
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain data; rates are fractions, null where they are not known."""
        return {
            "run": self.name,
            "state": self.state,
            "epoch": self.epoch,
            "epochs": self.epochs,
            "best_epoch": self.best_epoch,
            "eer": self.best.get("eer"),
            "acer": self.best.get("acer"),
            "recipe": self.recipe,
            "tags": list(self.tags),
            "reason": self.reason or None,
        }


def list_runs(folder: Path, registry: Registry) -> list[RunRow]:
    """Return a row for every run at or below a folder, sorted by name, numbers in names by their value.

    Raises:
        DataError: there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder of runs: give the one of `fas train --runs`")
    rows = {row.name: row for row in _scan(folder, registry)}
    return sorted(rows.values(), key=lambda row: _natural(row.name))


def _scan(folder: Path, registry: Registry) -> Iterator[RunRow]:
    """Yield the rows. A member of a group that was begun has a second one, which is of the run itself."""
    unreadable: list[OSError] = []
    for root, folders, names in os.walk(folder, onerror=unreadable.append):
        path = Path(root)
        folders[:] = [each for each in folders if not is_temporary(each)]
        name = path.relative_to(folder).as_posix() if path != folder else folder.name
        if set(RUN_FILES) & set(names):
            folders.clear()  # nothing below a run is another
            yield _read_row(path, name, registry)
        elif set(files.GROUPS) & set(names):
            yield from _members(path, "" if path == folder else f"{name}/", name, registry)
    for error in unreadable:
        reason = f"cannot be read: {error.strerror or error}"
        yield RunRow(Path(error.filename).relative_to(folder).as_posix(), DAMAGED, reason=reason)


def _members(path: Path, prefix: str, name: str, registry: Registry) -> Iterator[RunRow]:
    """Yield the runs that a group is to have, as if none were begun; one row for a damaged group."""
    try:
        opened = open_runs(path, registry)
        runs: dict[str, Run] = {}
        if isinstance(opened, RunSet):
            runs = {member: opened.run(member) for member in opened.members}
        elif isinstance(opened, FoldRuns):
            runs = opened.fold_runs() | ({"final": opened.final_run()} if opened.final else {})
    except FasError as error:
        yield RunRow(name, DAMAGED, reason=error.message)
        return
    for member, run in runs.items():
        yield _row(run, f"{prefix}{member}", NOT_STARTED, [])


def _read_row(path: Path, name: str, registry: Registry) -> RunRow:
    try:
        run = Run.open(path, registry)
        records = run.metrics()
        run.results()  # damaged ones are to be seen
        return _row(run, name, _find_state(run, records), records)
    except FasError as error:
        return RunRow(name, DAMAGED, reason=" ".join((error.message, *error.problems)))


def _find_state(run: Run, records: list[dict[str, Any]]) -> str:
    if is_owned(run.path):
        return RUNNING
    if not records and (run.path / IMPORT_RECORD).is_file():
        return IMPORTED
    return FINISHED if run.is_finished() else STOPPED


def _row(run: Run, name: str, state: str, records: list[dict[str, Any]]) -> RunRow:
    evaluated = [record for record in records if _is_number((record.get("dev") or {}).get("eer"))]
    best = min(evaluated, key=lambda record: record["dev"]["eer"], default=None)
    return RunRow(
        name=name,
        state=state,
        epoch=records[-1]["epoch"] if records else 0,
        epochs=run.recipe.train.last_epoch,
        best={} if best is None else {key: value for key, value in best["dev"].items() if _is_number(value)},
        best_epoch=None if best is None else best["epoch"],
        recipe=run.recipe.describe(),
        tags=run.recipe.tags,
        values=to_plain(run.recipe, run.registry),
    )


def _is_number(value: object) -> bool:
    """Return whether a value of metrics.jsonl is a finite number that a float holds."""
    return type(value) in (int, float) and -sys.float_info.max <= value <= sys.float_info.max  # type: ignore[operator]


def _natural(name: str) -> list[tuple[str, int]]:
    """Return a key that sorts `seed-2` before `seed-10`."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d{0,18})", name)]
