"""A large job in parts: its rows are cut, each part is scored and written by one of many workers.

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

from fas_core import __version__
from fas_core.console import console
from fas_core.digests import hash_file
from fas_core.errors import ConfigError, DataError, FasError, ModelError
from fas_core.inference.local_copies import local_copies
from fas_core.inference.part_folder import PartFolder
from fas_core.inference.part_jobs import PartJob, ScorePart
from fas_core.records.samples import SampleTable
from fas_core.runs.files import is_run_folder
from fas_core.runtime.calibration_file import calibration_file, hash_model

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
    """Scores parts and writes them; pickled to each worker, which loads the model at its first part.

    Args:
        root, modalities: of the samples.
        versions: digest of the model and version of fas, which every worker's must equal.
    """

    job: PartJob
    folder: PartFolder
    root: Path
    modalities: tuple[str, ...]
    versions: tuple[str, str]

    @cached_property
    def _score(self) -> ScorePart:
        if read_versions(self.job.model) != self.versions:
            raise ModelError(
                f"{self.job.model}: on {socket.gethostname()} it, or fas, is another one than where the "
                "command was given: all machines need the same"
            )
        return self.job.open()

    def __call__(self, part: Part) -> int:
        """Score and write a part; return its number of samples.

        Raises:
            FasError: the model or a photo cannot be read, or the part cannot be written.
        """
        number, table = part
        with local_copies(SampleTable(table, self.modalities, self.root)) as copies:
            scored = self._score(copies.samples)
        self.folder.write(number, _name_urls(scored, copies.name_urls) if copies.urls else scored)
        return len(table)


Engine = Callable[[PartWorker, Iterable[Part], int | None], Iterator[int]]
"""Calls the worker with every part, in so many processes (None: as fit), and yields what it returns."""


@frozen(eq=False)
class ScoredParts:
    """A job that is done: its folder, its number of samples, and how many of its parts were there before."""

    folder: PartFolder
    samples: int
    kept: int


def score_parts(
    job: PartJob, samples: SampleTable, options: PartOptions, engine: Engine, description: str
) -> ScoredParts:
    """Score samples in parts, but for those that are in the folder.

    Raises:
        ConfigError: the parts have no such number of rows.
        DataError: there are no samples, or the folder holds something else.
        FasError: as `PartWorker`; parts that were finished stay.
    """
    if options.rows % BATCH:
        raise ConfigError(f"{options.rows} rows a part: give a multiple of {BATCH}, the size of a batch")
    refuse_run(job.model)
    if not len(samples):
        raise DataError(f"{samples.root}: no samples to score")
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
        raise FasError(f"{folder.url}: parts are missing that workers have written: is it shared by all?")
    return ScoredParts(folder, len(samples), len(finished))


def refuse_run(model: Path) -> None:
    """Raise a ModelError for a run, which takes torch on every machine."""
    if is_run_folder(model):
        raise ModelError(f"{model}: a run, and --engine takes an exported model: fas export {model}")


def _make_worker(job: PartJob, samples: SampleTable, options: PartOptions) -> PartWorker:
    versions = read_versions(job.model)
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


def read_versions(model: Path) -> tuple[str, str]:
    """Return the digest of a model with its calibration, and the version of fas.

    Raises:
        ModelError: there is no such model here.
    """
    if not model.exists():
        raise ModelError(f"{model}: no such model on {socket.gethostname()}")
    calibration = calibration_file(model)
    texts = hash_model(model), hash_file(calibration) if calibration.is_file() else ""
    return hashlib.sha256("".join(texts).encode()).hexdigest(), __version__


def _hash_samples(samples: SampleTable) -> str:
    """Return a digest of all columns and of the root."""
    digest = hashlib.sha256(str(samples.root.absolute()).encode(errors="surrogateescape"))
    for name in samples.table.column_names:
        digest.update(f"{name}={samples.column(name)}".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _name_urls(table: pa.Table, name_urls: Callable[[str], str]) -> pa.Table:
    """Return a table with URLs in its reasons, where it has those."""
    if "reason" not in table.column_names:
        return table
    column = pa.array([name_urls(reason) for reason in table.column("reason").to_pylist()], pa.string())
    return table.set_column(table.column_names.index("reason"), "reason", column)
