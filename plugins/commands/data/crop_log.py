"""The log of a crop job: which samples are finished, and which box was cropped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import isfinite
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from fas_core.atomic import replacing
from fas_core.data.faces import CropSettings
from fas_core.data.images import Box
from fas_core.errors import DataError, FasError
from fas_core.text_files import MAX_TABLE, parse_json, read_text, shorten

Boxes = dict[str, Box | None]
"""The cropped box of each sample by id; None where no face was found."""


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
        lines = read_text(self.path, MAX_TABLE).splitlines() if self.path.exists() else [header]
        if lines[:1] != [header]:
            used = _describe_settings(lines[0], f"{self.path}:1") if lines else "no settings"
            raise DataError(
                f"{self.path.parent}: was cropped with {used}: use the same settings or another folder"
            )
        if not lines[-1].endswith("}"):  # the job was interrupted while it wrote the line
            lines.pop()
        boxes = dict(_parse_record(line, f"{self.path}:{number}") for number, line in enumerate(lines[1:], 2))
        with replacing(self.path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return boxes

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


def _describe_settings(line: str, where: str) -> str:
    """Return the settings in the first line of a log, e.g. `margin 0.1, size 48`."""
    header = parse_json(line, where)
    settings = header.get("settings") if isinstance(header, dict) else None
    if not isinstance(settings, dict):
        raise DataError(f"{where}: not the settings of a crop job: crop into another folder")
    return shorten(", ".join(f"{name} {value}" for name, value in settings.items()), 200)


def _parse_record(line: str, where: str) -> tuple[str, Box | None]:
    """Parse a line, `{"id": "a", "box": [1.0, 2.0, 3.0, 4.0]}`, whose box may be null."""
    record = parse_json(line, where)
    name, box = (record.get("id"), record.get("box")) if isinstance(record, dict) else (None, None)
    if not isinstance(name, str) or not (box is None or _is_box(box)):
        raise DataError(f"{where}: no record of a cropped photo: remove the file to crop all photos again")
    return name, None if box is None else (box[0], box[1], box[2], box[3])


def _is_box(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(type(number) in (int, float) and isfinite(number) for number in value)
    )
