"""The index of the data set, `turnstile.json`: a record of each photo.

    {"photos": [
      {"file": "photos/0007.png", "gate": 1, "person": "p03", "split": "train", "class": "live"},
      {"file": "photos/0901.png", "gate": 3, "person": "p17", "split": "test", "class": null}
    ]}

`class` is `live`, or what the attack was made with; null where the challenge keeps it to itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core import DataError
from fas_turnstile.options import GATES, INDEX

CLASSES = ("live", "print", "screen", "mask", None)
SPLITS = ("train", "dev", "test")


@frozen
class Photo:
    """A photo; `species` is its class, None where that is unknown."""

    file: str
    gate: int
    person: str
    split: str
    species: str | None

    @property
    def label(self) -> int | None:
        """1 live, 0 attack, None unknown."""
        return None if self.species is None else int(self.species == "live")


def read_index(root: Path) -> list[Photo]:
    """Read the index of a folder.

    Raises:
        DataError: it is missing or no JSON, or records are not valid or have no file; all are named.
    """
    path = root / INDEX
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: no JSON: {error}") from error
    records = tree.get("photos") if isinstance(tree, dict) else None
    if not isinstance(records, list) or not records:
        raise DataError(f"{path}: must have a list `photos` of at least one record")
    problems = [
        f"photos[{number}]: {problem}"
        for number, record in enumerate(records)
        for problem in find_problems(record, root)
    ]
    if problems:
        raise DataError(f"{path}: {len(problems)} problems, of which the first are", problems[:20])
    return [
        Photo(*(record[key] for key in ("file", "gate", "person", "split", "class"))) for record in records
    ]


def find_problems(record: Any, root: Path) -> Iterator[str]:
    """Yield what is wrong with a record."""
    if not isinstance(record, dict) or set(record) != {"file", "gate", "person", "split", "class"}:
        yield f"must have file, gate, person, split and class, and nothing else: {record!r}"
        return
    for key, known in (("gate", GATES), ("split", SPLITS), ("class", CLASSES)):
        if record[key] not in known:
            yield f"{key} must be one of {', '.join(map(str, known))}: {record[key]!r}"
    for key in ("file", "person"):
        if not isinstance(record[key], str) or not record[key]:
            yield f"{key} must be a text: {record[key]!r}"
            return
    if not (root / record["file"]).is_file():
        yield f"no such file: {record['file']}"
