"""The log of a crop job: which samples are finished, and which box was cropped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import asdict, frozen

from fas_core.atomic import replacing
from fas_core.data.faces import CropSettings
from fas_core.data.images import Box
from fas_core.errors import DataError, FasError

Boxes = dict[str, Box | None]
"""The cropped box of each sample by id; None where no face was found."""


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
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else [header]
        if lines[0] != header:
            used = ", ".join(f"{name} {value}" for name, value in json.loads(lines[0])["settings"].items())
            raise DataError(
                f"{self.path.parent}: was cropped with {used}: use the same settings or another folder"
            )
        if not lines[-1].endswith("}"):  # the job was interrupted while it wrote the line
            lines.pop()
        with replacing(self.path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        records = map(json.loads, lines[1:])
        return {item["id"]: None if item["box"] is None else tuple(item["box"]) for item in records}

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
