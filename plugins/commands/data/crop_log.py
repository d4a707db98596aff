"""The log of a crop job: which samples are finished, and which box was cropped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path

from attrs import asdict, frozen

from fas_core.atomic import write_text
from fas_core.data.faces import CropSettings
from fas_core.data.images import Box
from fas_core.errors import DataError, FasError

Boxes = dict[str, Box | None]
"""The cropped box of each sample by id; None where no face was found."""


def _describe_settings(line: str) -> str:
    try:
        return ", ".join(f"{name} {value}" for name, value in json.loads(line)["settings"].items())
    except (ValueError, TypeError, AttributeError, LookupError):
        return "unknown settings, as crops.jsonl is damaged"


def _parse_line(line: str) -> tuple[str, Box | None] | None:
    """Return the id and box of a line; None where the job was interrupted while it wrote the line."""
    try:
        record = json.loads(line)
        name, box = record["id"], record["box"]
        return (name, None) if box is None else (name, (box[0], box[1], box[2], box[3]))
    except (ValueError, TypeError, LookupError):
        return None


@frozen
class CropLog:
    """A file with a line for each finished photo, from which an interrupted job continues."""

    path: Path

    def read(self, settings: CropSettings) -> Boxes:
        """Return the boxes in the file; create the file if there is none.

        Raises:
            DataError: the crops in this folder were made with other settings.
        """
        values = asdict(settings)
        if settings.region == "box":
            del values["region"]  # which the logs of earlier versions lack
        header = json.dumps({"settings": {name: str(value) for name, value in values.items()}})
        lines = self.path.read_bytes().decode(errors="replace").splitlines() if self.path.exists() else []
        first = lines[0] if lines else header
        if first != header:
            raise DataError(
                f"{self.path.parent}: was cropped with {_describe_settings(first)}: use the same settings or "
                "another folder"
            )
        records = [record for record in takewhile(bool, map(_parse_line, lines[1:])) if record is not None]
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
