"""Cropping in parts, by the workers of an engine: each writes the crops of its part, and then their boxes.

The boxes of finished parts are in the hidden folder `.crops` of the destination, until they are in its log.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from attrs import asdict, frozen

from fas_core import __version__
from fas_core.atomic import sync_disk
from fas_core.data.detectors import choose_detector
from fas_core.data.faces import CropSettings
from fas_core.data.images import Box
from fas_core.errors import DataError
from fas_core.inference.part_jobs import PartFunction
from fas_core.inference.parts import Engine, PartOptions, run_parts
from fas_core.records.samples import SampleTable
from fas_plugins.commands.data.crop_job import CropJob, find_image_paths

PARTS = ".crops"
"""Folder in the destination, which no data set sees."""
SCHEMA = pa.schema({"box": pa.list_(pa.float64(), 4), "problem": pa.string()})
"""Of a part's table, in the order of its samples: what was cropped, or why it could not be."""


@frozen
class CropPartJob:
    """`fas data crop`, part by part, into a folder that all machines share.

    `settings` name the detector.
    """

    destination: Path
    settings: CropSettings

    @property
    def name(self) -> str:
        return f"the face detector {self.settings.detector}"

    def versions(self) -> tuple[str, str]:
        return choose_detector(self.settings.detector).version, __version__

    def describe(self) -> dict[str, Any]:
        return {"job": "crop", "into": str(self.destination), **asdict(self.settings)}

    def open(self) -> PartFunction:
        """Load the detector, and return what crops a part; the crops are on the disk when it returns."""
        detect = choose_detector(self.settings.detector).build()

        def crop(samples: SampleTable) -> pa.Table:
            ids, images = samples.column("id"), find_image_paths(samples)
            job = CropJob(samples, ids, images, self.destination, detect, self.settings)
            results = list(job.crop_each(range(len(ids)), 0))
            sync_disk()
            boxes = [None if isinstance(result, DataError) else result for result in results]
            problems = [result.message if isinstance(result, DataError) else None for result in results]
            return pa.table({"box": boxes, "problem": problems}, SCHEMA)

        return crop


@frozen
class CropParts:
    """An engine in place of this process, which crops parts of so many samples by so many workers.

    `workers`: None for one a CPU.
    """

    engine: Engine
    rows: int
    workers: int | None

    def crop(
        self, job: CropJob, rows: Sequence[int], unreadable: dict[str, str]
    ) -> Iterator[tuple[str, Box | None]]:
        """Crop samples, yield their boxes by id, and add to `unreadable` why others have none.

        Raises:
            FasError: as `run_parts`; parts that were finished stay.
        """
        if not rows:
            return
        samples = job.samples.take(rows)
        # Only what is left of the job is done, so that other rows and settings are another job.
        digest = hashlib.sha256(f"{samples.fingerprint()} {job.settings}".encode()).hexdigest()[:16]
        options = PartOptions(str(job.destination / PARTS / digest), self.rows, self.workers)
        part_job = CropPartJob(job.destination, job.settings)
        table = run_parts(part_job, samples, options, self.engine, "cropping").folder.read()
        for row, box, problem in zip(rows, *map(pa.ChunkedArray.to_pylist, table.columns), strict=True):
            if problem is None:
                yield job.ids[row], None if box is None else (box[0], box[1], box[2], box[3])
            else:
                unreadable[job.ids[row]] = problem


def remove_parts(destination: Path) -> None:
    """Remove the boxes of finished parts, once they are in the log."""
    shutil.rmtree(destination / PARTS, ignore_errors=True)
