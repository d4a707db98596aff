"""The log of a crop job: which samples are finished, and which box was cropped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import takewhile
from math import isfinite
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from fas_core.atomic import write_text
from fas_core.data.faces import CropSettings
from fas_core.data.images import Box
from fas_core.errors import DataError, FasError
from fas_core.text_files import parse_json, read_bytes, shorten

Boxes = dict[str, Box | None]
"""The cropped box of each sample by id; None where no face was found."""


def _describe_settings(line: str, where: str) -> str:
    """Return the settings in the first line of a log, e.g. `margin 0.1, size 48`."""
    try:
        settings = parse_json(line, where)["settings"].items()
        return shorten(", ".join(f"{name} {value}" for name, value in settings), 200)
    except (DataError, TypeError, AttributeError, LookupError):
        return "unknown settings, as crops.jsonl is damaged"


def _parse_line(line: str, where: str) -> tuple[str, Box | None] | None:
    """Return the id and box of a line; None where the job was interrupted while it wrote the line."""
    try:
        record = parse_json(line, where)
        name, box = record["id"], record["box"]
    except (DataError, TypeError, LookupError):
        return None
    if not isinstance(name, str) or not (box is None or _is_box(box)):
        return None
    return name, None if box is None else (box[0], box[1], box[2], box[3])


def _is_box(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(type(number) in (int, float) and isfinite(number) for number in value)
    )


@frozen
class CropLog:
    """A file with a line for each finished photo, from which an interrupted job continues."""

    path: Path

    def read(self, settings: CropSettings) -> Boxes:
        """Return the boxes in the file; create the file if there is none.

        Raises:
            DataError: the crops in this folder were made with other settings, or the file is damaged.
        """
        values = asdict(settings)
        if settings.region == "box":
            del values["region"]  # which the logs of earlier versions lack
        header = json.dumps({"settings": {name: str(value) for name, value in values.items()}})
        lines = read_bytes(self.path).decode(errors="replace").splitlines() if self.path.exists() else []
        first = lines[0] if lines else header
        if first != header:
            used = _describe_settings(first, f"{self.path}:1")
            raise DataError(
                f"{self.path.parent}: was cropped with {used}: use the same settings or another folder"
            )
        parsed = (_parse_line(line, f"{self.path}:{number}") for number, line in enumerate(lines[1:], 2))
        records = [record for record in takewhile(bool, parsed) if record is not None]
        write_text(self.path, "".join(f"{line}\n" for line in [first, *lines[1 : 1 + len(records)]]))
        return dict(records)

    def record(self, results: Iterable[tuple[str, Box | None]]) -> Iterator[tuple[str, Box | None]]:
        """Append a line for each result and yield it."""
        try:
            with self.path.open("a", encoding="utf-8") as stream:
                for name, box in results:
                    stream.write(json.dumps({"id": name, "box": box}) + "\n")
                    stream.flush()
                    yield name, box
        except OSError as error:
            raise FasError(f"{self.path}: cannot be written: {error.strerror}") from error
