"""Score files of a run folder, tied to the weights that gave the scores.

`scores/digests.json` holds, for each score file, the SHA-256 of its bytes and the digest of the best weights;
for out-of-fold scores, the digests of the weights of each fold's run. A file that was damaged, or is of
another moment than the weights (as after a kill between two writes), is refused when it is read. Runs of
former versions have no digests, and are read unchecked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fas_core.atomic import replacing
from fas_core.digests import hash_file, read_weights_digest
from fas_core.errors import DataError
from fas_core.runs import files
from fas_core.scores.table import ScoreTable
from fas_core.text_files import read_json


def write_scores(
    run: Path,
    name: str,
    scores: ScoreTable,
    columns: Mapping[str, Any] | None = None,
    weights: Sequence[Path] | None = None,
) -> None:
    """Write `scores/NAME.csv` of a run, and record its digest and those of the weights.

    Args:
        run: the run folder.
        name: a split, or `OUT_OF_FOLD`.
        columns: further columns, `{name: (N,)}`.
        weights: files of the weights that gave the scores; None for the run's best.
    """
    path = files.score_file(run, name)
    scores.write(path, columns)
    paths = [run / files.BEST] if weights is None else weights
    digests = {Path(os.path.relpath(item, run)).as_posix(): read_weights_digest(item) for item in paths}
    record = _read_records(path.parent) | {name: {"file": hash_file(path), "weights": digests}}
    with replacing(path.with_name(files.DIGESTS)) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def read_scores(run: Path, name: str) -> ScoreTable | None:
    """Read `scores/NAME.csv` of a run; None where it holds none.

    Raises:
        DataError: the file is damaged, or its scores are not those of the run's best weights.
    """
    path = files.score_file(run, name)
    if not path.is_file():
        return None
    if fault := _find_fault(run, name):
        resumed = run.parent if name == files.OUT_OF_FOLD else run  # all folds together
        raise DataError(f"{path}: {fault}: make it again by `fas train --resume {resumed}`")
    return ScoreTable.read(path)


def has_scores(run: Path, name: str) -> bool:
    """Return whether a run holds undamaged scores of this name by its best weights."""
    return files.score_file(run, name).is_file() and not _find_fault(run, name)


def _find_fault(run: Path, name: str) -> str:
    """Return why a score file cannot be used, or an empty text."""
    path = files.score_file(run, name)
    record = _read_records(path.parent).get(name)
    if record is None:
        return ""
    weights = record.get("weights")
    digests = weights if isinstance(weights, dict) else {files.BEST: weights}  # of former versions
    for name, digest in digests.items():
        if None not in (digest, current := read_weights_digest(run / name)) and digest != current:
            return f"not the scores of {name}, which was written at another time"
    return "" if record.get("file") == hash_file(path) else "its bytes have changed since they were written"


def _read_records(folder: Path) -> dict[str, Any]:
    path = folder / files.DIGESTS
    records = read_json(path) if path.is_file() else {}
    if not (isinstance(records, dict) and all(isinstance(record, dict) for record in records.values())):
        raise DataError(f"{path}: not what `fas train` writes: remove it and evaluate the run again")
    return records
