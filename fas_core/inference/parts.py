"""A large job in parts: its rows are divided, each part is done and written by one of many workers.

An engine, such as Ray, hands the parts to the workers and does those of a dead worker again. A part that is
in the folder is never done again, so that a command that was ended goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path

import pyarrow as pa
from attrs import define, frozen

from fas_core.console import console
from fas_core.errors import ConfigError, DataError, FasError, ModelError
from fas_core.inference.part_folder import PartFolder
from fas_core.inference.part_jobs import PartFunction, PartJob
from fas_core.records.samples import SampleTable
from fas_core.runs.files import is_run_folder
from fas_core.urls import Location, Url

BATCH = 32
"""Rows of a part are a multiple of it, so that batches are those of a job in one process."""
DIGITS = 16
Part = tuple[int, pa.Table]
"""A part's number and the rows of its samples."""


@frozen
class PartOptions:
    """Where a job's parts are written, and who does them.

    Args:
        folder: path or URL of the folder.
        rows: samples of each part but the last, a multiple of `BATCH`.
        workers: processes, each with one CPU and a model of its own; None for one a CPU.
    """

    folder: str
    rows: int = 1024
    workers: int | None = None


@define
class PartWorker:
    """Does parts and writes their tables; pickled to each worker, which loads the model at its first part.

    Args:
        root, modalities: of the samples.
        versions: those of the job, which every worker's must equal.
    """

    job: PartJob
    folder: PartFolder
    root: Location
    modalities: tuple[str, ...]
    versions: tuple[str, str]

    @cached_property
    def _function(self) -> PartFunction:
        if self.job.versions() != self.versions:
            raise ModelError(
                f"{self.job.name}: on {socket.gethostname()} it, or fas, is another one than where the "
                "command was given: all machines need the same"
            )
        return self.job.open()

    def __call__(self, part: Part) -> int:
        """Do and write a part; return its number of samples.

        Raises:
            FasError: the model or a photo cannot be read, or the part cannot be written.
        """
        number, table = part
        self.folder.write(number, self._function(SampleTable(table, self.modalities, self.root)))
        return len(table)


Engine = Callable[[PartWorker, Iterable[Part], int | None], Iterator[int]]
"""Calls the worker with every part, in so many processes (None: as fit), and yields what it returns."""


@frozen(eq=False)
class FinishedParts:
    """A job that is done.

    Args:
        folder: of its parts.
        samples: how many they have.
        from_before: how many of the parts earlier commands had finished.
    """

    folder: PartFolder
    samples: int
    from_before: int


def run_parts(
    job: PartJob, samples: SampleTable, options: PartOptions, engine: Engine, description: str
) -> FinishedParts:
    """Do a job on samples in parts, but for those that are in the folder.

    Raises:
        ConfigError: the parts have no such number of rows.
        DataError: there are no samples, or the folder holds something else.
        FasError: as `PartWorker`; parts that were finished stay.
    """
    if options.rows % BATCH:
        raise ConfigError(f"{options.rows} rows a part: give a multiple of {BATCH}, the size of a batch")
    if not len(samples):
        raise DataError(f"{samples.root}: no samples")
    worker = _make_worker(job, samples, options)
    folder = worker.folder
    finished = folder.finished()
    numbers = [number for number in range(folder.count) if number not in finished]
    slices = [(number, samples.table.slice(number * options.rows, options.rows)) for number in numbers]
    done = len(samples) - sum(len(table) for _, table in slices)
    with console.progress(description, len(samples), "samples", done=done) as bar:
        for count in engine(worker, slices, options.workers) if slices else ():
            bar.advance(count)
    if len(folder.finished()) < folder.count:
        raise FasError(f"{folder}: parts are missing that workers have written: is it shared by all?")
    return FinishedParts(folder, len(samples), len(finished))


def refuse_run(model: Path) -> None:
    """Raise a ModelError for a run, which takes torch on every machine."""
    if is_run_folder(model):
        raise ModelError(f"{model}: a run, and --engine takes an exported model: fas export {model}")


def _make_worker(job: PartJob, samples: SampleTable, options: PartOptions) -> PartWorker:
    versions = job.versions()
    facts = {
        "versions": versions,
        "samples": _hash_samples(samples),
        "options": job.describe(),
        "rows": options.rows,
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    count = -(-len(samples) // options.rows)
    folder = PartFolder(options.folder.rstrip("/"), digest[:DIGITS], count)
    return PartWorker(job, folder, samples.root, samples.modalities, versions)


def _hash_samples(samples: SampleTable) -> str:
    """Return a digest of all columns and of the root."""
    root = samples.root.address if isinstance(samples.root, Url) else str(samples.root.absolute())
    digest = hashlib.sha256(root.encode(errors="surrogateescape"))
    for name in samples.table.column_names:
        digest.update(f"{name}={samples.column(name)}".encode(errors="surrogateescape"))
    return digest.hexdigest()
