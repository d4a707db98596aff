"""`metrics.jsonl`: a line of JSON for each epoch of a run.

It is written whole, so that no kill leaves half a line. Before, lines were appended: a run that was killed in
between and resumed may have one that is torn, or two of one epoch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fas_core.atomic import write_text
from fas_core.console import console
from fas_core.errors import DataError, FasError
from fas_core.text_files import parse_json, read_text

Record = dict[str, Any]


def write_metrics(file: Path, records: Iterable[Record]) -> None:
    """Write the lines of all epochs so far; raise FasError if they cannot be written."""
    write_text(file, "".join(json.dumps(record) + "\n" for record in records))


def read_metrics(file: Path) -> list[Record]:
    """Read the lines, in the order of their epochs; no line where there is no file.

    A torn line, and all but the last of one epoch, are left out, with a warning for each.

    Raises:
        DataError: a line is whole and not of an epoch, so that the file is of something else.
    """
    text = read_text(file) if file.is_file() else ""
    by_epoch: dict[int, tuple[str, Record]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{file}:{number}"
        try:
            record = parse_json(line, where)
        except FasError:
            console.warn_once(f"{where}: torn, perhaps by a kill: left out")
            continue
        if not _is_epoch(record):
            raise DataError(f"{where}: no record of an epoch: remove the file to use the run without it")
        if record["epoch"] in by_epoch:
            console.warn_once(f"{by_epoch[record['epoch']][0]}: written again in line {number}: left out")
        by_epoch[record["epoch"]] = where, record
    return [by_epoch[epoch][1] for epoch in sorted(by_epoch)]


def _is_epoch(record: object) -> bool:
    """Return whether a line of metrics.jsonl has an epoch, and the figures of dev as a mapping if at all."""
    return (
        isinstance(record, dict)
        and type(record.get("epoch")) is int
        and isinstance(record.get("dev") or {}, dict)
    )
