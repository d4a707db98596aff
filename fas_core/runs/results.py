"""results.json of a run or of a group of runs: the tables at the end, sealed to the weights they are of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fas_core.atomic import write_text
from fas_core.digests import check_record, read_weights_digest, seal_record
from fas_core.errors import DataError
from fas_core.runs import files
from fas_core.text_files import read_json

MAX_INTEGER = 1 << 63


def write_results(folder: Path, record: Mapping[str, Any]) -> None:
    """Write results.json of a run or of a group of runs, with its digest and those of the best weights."""
    paths = [folder / files.BEST, *sorted(folder.glob(f"*/{files.BEST}"))]
    digests = {path.relative_to(folder).as_posix(): read_weights_digest(path) for path in paths}
    weights = {name: digest for name, digest in digests.items() if digest is not None}
    document = seal_record({**record, "weights": weights})
    write_text(folder / files.RESULTS, json.dumps(document, indent=2) + "\n")


def read_results(folder: Path) -> dict[str, Any]:
    """Read results.json of a run or of a group of runs, empty where the run is not finished.

    Raises:
        DataError: the file is damaged, or its results are not those of the best weights.
    """
    file = folder / files.RESULTS
    if not file.is_file():
        return {}
    results = read_json(file)
    if not isinstance(results, dict) or not _are_results(results):
        raise DataError(f"{file}: not what `fas train` writes")
    advice = f"make it again by `fas train --resume {folder}`"
    results = check_record(results, file, advice)
    written = results.pop("weights", {}).get(files.BEST)
    if None not in (written, current := read_weights_digest(folder / files.BEST)) and written != current:
        raise DataError(f"{file}: not the results of {files.BEST}, written at another time: {advice}")
    return results


def _are_results(tree: Mapping[str, Any]) -> bool:
    """Return whether what a run's readers use of results.json has the types that were written."""
    data, splits, hours = tree.get("data", {}), tree.get("splits", {}), tree.get("train_hours")
    if not all(isinstance(value, dict) for value in (data, splits, tree.get("weights", {}))):
        return False
    if not all(isinstance(split, dict) for split in splits.values()):
        return False
    notes = [split.get("notes", []) for split in splits.values()]
    metrics = [split.get("metrics", {}) for split in splits.values()]
    return (
        all(isinstance(fingerprint, str) for fingerprint in data.values())
        and all(isinstance(lines, list) and all(isinstance(line, str) for line in lines) for lines in notes)
        and all(isinstance(figures, dict) and _are_numbers(figures.values()) for figures in metrics)
        and (hours is None or type(hours) in (int, float))
    )


def _are_numbers(values: Iterable[object]) -> bool:
    """Return whether values are numbers that a float holds, or null where a metric has none."""
    return all(
        value is None or type(value) is float or (type(value) is int and -MAX_INTEGER < value < MAX_INTEGER)
        for value in values
    )
