"""Fingerprints of the samples of a split: enough to notice other data under the same path.

Images are not opened: of their files the sizes count, which differ between compressed images.
"""

from __future__ import annotations

import hashlib

import numpy as np
from attrs import frozen

from fas_core.data.parallel import ordered
from fas_core.data.remote_files import measure_remote, reading_threads
from fas_core.records.samples import SampleTable
from fas_core.urls import Location, Url

SIZED_SAMPLES = 10_000
"""Samples of a split whose files' sizes count: all up to this number, else as many, evenly spread."""

ROWS = 1 << 16
"""Rows that are turned into text at once."""

MISSING = -1
"""The size of a file that is not there, or of a URL that does not tell it."""


@frozen
class SplitFingerprint:
    """What identifies the samples of a split, wherever its root lies.

    Args:
        samples: how many there are.
        live: how many of them are live.
        attack: how many of them are attacks.
        rows: digest of all columns but the label: ids, paths as they are listed, boxes, subjects, ...
        labels: digest of the labels.
        bytes: sum of the sizes of the files of up to `SIZED_SAMPLES` samples.
        sizes: digest of these sizes.
    """

    samples: int
    live: int
    attack: int
    rows: str
    labels: str
    bytes: int
    sizes: str

    @classmethod
    def of(cls, table: SampleTable) -> SplitFingerprint:
        """Fingerprint the samples of a split; the sizes of their files are asked of the file system.

        Raises:
            FasError: the size of a file at a URL cannot be asked for.
        """
        counts = table.counts()
        sizes = _measure_files(table)
        return cls(
            samples=len(table),
            live=counts.get("live", 0),
            attack=counts.get("attack", 0),
            rows=_hash_columns(table, [name for name in table.table.column_names if name != "label"]),
            labels=_hash_columns(table, ["label"]),
            bytes=sum(size for size in sizes if size != MISSING),
            sizes=hashlib.sha256(np.array(sizes, "<i8").tobytes()).hexdigest()[:16],
        )

    def describe_changes(self, before: SplitFingerprint) -> list[str]:
        """Return how the samples differ from those of an earlier fingerprint, a line each."""
        counts, earlier = self._describe_counts(), before._describe_counts()
        if counts != earlier:
            return [f"{counts}, were {earlier}"]
        lines = []
        if self.labels != before.labels:
            lines.append("other labels")
        if self.rows != before.rows:
            lines.append("other names, order, boxes or groups of samples")
        if self.sizes != before.sizes:
            lines.append(f"other files: their sizes differ ({self.bytes:,} bytes, were {before.bytes:,})")
        return lines

    def _describe_counts(self) -> str:
        return f"{self.samples} samples ({self.live} live, {self.attack} attack)"


def _hash_columns(samples: SampleTable, names: list[str]) -> str:
    """Return 16 hex digits that change with the names and values of columns, not with how they are stored."""
    digest = hashlib.sha256()
    for name in names:
        if samples.table.column(name).null_count == len(samples):  # as if there were no such column
            continue
        digest.update(f"{name}\n".encode())
        for batch in samples.table.select([name]).to_batches(max_chunksize=ROWS):
            text = "".join(f"{value!r}\n" for value in batch.column(0).to_pylist())
            digest.update(text.encode())
    return digest.hexdigest()[:16]


def _measure_files(samples: SampleTable) -> list[int]:
    """Return the sizes in bytes of the files of up to `SIZED_SAMPLES` samples, or `MISSING`."""
    rows = np.linspace(0, len(samples) - 1, min(len(samples), SIZED_SAMPLES)).round().astype(int)
    sized = samples.take(rows)
    present = [sized.take(np.asarray(sized.table.column(name).is_valid())) for name in sized.modalities]
    pairs = zip(present, sized.modalities, strict=True)
    paths = (path for table, name in pairs for path in table.paths(name))
    return list(ordered(_measure_file, paths, reading_threads(sized, 0)))


def _measure_file(path: Location) -> int:
    if isinstance(path, Url):
        size = measure_remote(path)
        return MISSING if size is None else size
    try:
        return path.stat().st_size
    except OSError:
        return MISSING
