"""The sample table: the images of a data set and their labels. It never touches pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from fas_core.errors import DataError, format_list
from fas_core.names import CONTROLS, to_path, to_text
from fas_core.scores.table import ATTACK, LABEL_COLUMNS, LIVE, UNKNOWN
from fas_core.urls import Location, Url, is_url, locate, to_location

__all__ = ["ATTACK", "BOX", "COLUMNS", "LIVE", "UNKNOWN", "SampleTable", "concat"]

BOX = pa.list_(pa.float32(), 4)
COLUMNS: dict[str, pa.DataType] = {"id": pa.string(), **LABEL_COLUMNS, "box": BOX}
"""Every column but the modalities' paths. `label`: 1 live, 0 attack, null unknown; `box`: x, y, w, h
in pixels of the first modality's image (scaled for the others)."""

BLOCK = 1 << 16
"""Rows that are Python objects at a time."""


@frozen(eq=False)
class SampleTable:
    """Samples as a pyarrow table: `COLUMNS` (all present, null where unknown) and a path column per modality.

    Columnar, so that a million rows load in a second and loader workers share them. Build one with
    `SampleTable.of`. Relative paths are relative to `root`; `path` and `paths` open what is no UTF-8, too.
    The root and paths may be URLs (`fas_core.urls`).
    """

    table: pa.Table
    modalities: tuple[str, ...]
    root: Location = field(converter=to_location)

    @classmethod
    def of(
        cls, columns: Mapping[str, Any], *, modalities: Sequence[str], root: Location | str
    ) -> SampleTable:
        """Build from `{column: values}`; `id` and one path column per modality are required.

        The species of live samples is `live` where it is not known. Paths may have backslashes, as on
        Windows.

        Raises:
            DataError: a column is missing or unknown, values do not fit their type, or ids repeat.
        """
        missing = {"id", *modalities} - set(columns)
        unknown = set(columns) - set(COLUMNS) - set(modalities)
        if missing or unknown:
            names, problem = format_list(sorted(missing | unknown)), "missing" if missing else "unknown"
            raise DataError(f"sample table of {root}: {names}: {problem} column")
        rows = len(columns["id"])
        arrays: dict[str, pa.Array] = {}
        for name, kind in {**COLUMNS, **dict.fromkeys(modalities, pa.string())}.items():
            try:
                values = columns.get(name)
                arrays[name] = pa.nulls(rows, kind) if values is None else _array(values, kind)
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise DataError(f"sample table of {root}: column {name!r}: {error}") from error
        arrays |= {name: _replace_backslashes(arrays[name], to_location(root)) for name in modalities}
        live = pc.and_(pc.equal(arrays["label"], LIVE), pc.is_null(arrays["species"]))
        arrays["species"] = pc.if_else(pc.fill_null(live, False), "live", arrays["species"])
        if repeated := _find_repeated(arrays["id"]):
            raise DataError(f"sample table of {root}: id given twice: {format_list(repeated)}")
        return cls(pa.table(arrays), tuple(modalities), to_location(root))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def column(self, name: str) -> list[Any]:
        """Values of one column as Python objects, None where unknown."""
        return list(self.table.column(name).to_pylist())

    @property
    def labels(self) -> NDArray[np.int8]:
        """(N,) 1 live, 0 attack, -1 unknown."""
        return np.asarray(pc.fill_null(self.table.column("label"), UNKNOWN).to_numpy(), np.int8)

    def has(self, row: int, modality: str) -> bool:
        """Whether a sample has an image of this modality."""
        return bool(self.table.column(modality)[row].is_valid)

    def path(self, row: int, modality: str) -> Location:
        """Absolute path, or URL, of one image."""
        return locate(self.root, str(self.table.column(modality)[row].as_py()))

    def paths(self, modality: str) -> list[Location]:
        """Absolute paths, or URLs, of one modality, in row order."""
        return [locate(self.root, path) for path in self.column(modality)]

    @property
    def is_remote(self) -> bool:
        """Whether an image is read from a URL."""
        return isinstance(self.root, Url) or any(map(has_urls, map(self.table.column, self.modalities)))

    def box(self, row: int) -> tuple[float, float, float, float] | None:
        """x, y, w, h in pixels of the first modality's image, or None for the whole image."""
        value = self.table.column("box")[row].as_py()
        return None if value is None else (value[0], value[1], value[2], value[3])

    def take(self, rows: Iterable[int] | NDArray[np.integer[Any]] | NDArray[np.bool_]) -> SampleTable:
        """Return some rows (indices or a boolean mask), in that order; consecutive ones are not copied."""
        index = rows if isinstance(rows, np.ndarray) else np.asarray(list(rows))
        index = np.flatnonzero(index) if index.dtype == np.bool_ else index
        if len(index) and np.all(np.diff(index) == 1) and index[0] >= 0 and index[-1] < len(self):
            return evolve(self, table=self.table.slice(index[0], len(index)))
        return evolve(self, table=self.table.take(pa.array(index, pa.int64())))

    def presence(self, modalities: Sequence[str]) -> NDArray[np.bool_]:
        """(N, modalities) which images each sample has, by its paths.

        Raises:
            DataError: a sample has no image of these modalities.
        """
        presence = np.zeros((len(self), len(modalities)), np.bool_)
        for column, name in enumerate(modalities):
            if name in self.modalities:
                presence[:, column] = self.table.column(name).is_valid()
        if empty := int((~presence.any(axis=1)).sum()):
            names = ", ".join(modalities)
            raise DataError(f"{self.root}: {empty} of {len(self)} samples have none of {names}")
        return presence

    def need(self, modalities: Sequence[str]) -> SampleTable:
        """Return the table itself if every sample has every one of these modalities.

        Raises:
            DataError: a modality has no column, or rows without a path.
        """
        for modality in modalities:
            if modality not in self.modalities:
                names = ", ".join(self.modalities)
                raise DataError(
                    f"{self.root}: no {modality!r} images, which the model takes (there are: {names})"
                )
            if empty := self.table.column(modality).null_count:
                raise DataError(f"{self.root}: {empty} of {len(self)} samples have no {modality!r} image")
        return self

    def counts(self) -> dict[str, int]:
        """`{"live": n, "attack": n, "unknown": n}` without zeros, then `total`."""
        labels, values = self.labels, {"live": LIVE, "attack": ATTACK, "unknown": UNKNOWN}
        counts = {name: int((labels == value).sum()) for name, value in values.items()}
        return {name: count for name, count in counts.items() if count} | {"total": len(self)}

    def fingerprint(self) -> str:
        """16 hex digits that change with the samples' ids, labels or paths."""
        digest = hashlib.sha256()
        for name in ("id", "label", *self.modalities):
            digest.update("\n".join(map(str, self.column(name))).encode())
        return digest.hexdigest()[:16]


def has_urls(paths: pa.ChunkedArray) -> bool:
    """Whether a URL is among some paths, of which there may be a million."""
    candidates = paths.filter(pc.match_substring(paths, "://"))
    return any(isinstance(to_location(path), Url) for path in candidates.to_pylist())


def _find_repeated(names: pa.Array) -> list[Any]:
    """Return the names that are given more than once.

    Distinct hashes show that there are none; pyarrow's own count of a million takes ten times the memory.
    """
    blocks = (names.slice(start, BLOCK).to_pylist() for start in range(0, len(names), BLOCK))
    hashes = np.fromiter((hash(name) for block in blocks for name in block), np.int64, len(names))
    hashes.sort()
    if np.all(hashes[1:] != hashes[:-1]):
        return []
    counts = pc.value_counts(names)
    return list(counts.filter(pc.greater(counts.field("counts"), 1)).field("values").to_pylist())


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):  # to combine a single chunk would copy it
        values = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    try:
        array = values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)
    except UnicodeEncodeError:  # names of files that are no UTF-8
        return _to_texts(values)
    return _to_texts(array.to_pylist()) if kind == pa.string() and _has_controls(array) else array


def _has_controls(names: pa.Array) -> bool:
    if pc.all(pc.ascii_is_printable(names)).as_py() is not False:  # fast, and true of most data
        return False
    return bool(pc.any(pc.match_substring_regex(names, CONTROLS)).as_py())


def _to_texts(names: Iterable[str | None]) -> pa.Array:
    return pa.array([None if name is None else to_text(name) for name in names], pa.string())


def _replace_backslashes(paths: pa.Array, root: Location) -> pa.Array:
    """Return paths with slashes; a file whose name has a backslash, as other systems allow, keeps it.

    A URL keeps its backslashes.
    """
    if isinstance(root, Url) or not pc.any(pc.match_substring(paths, "\\")).as_py():
        return paths
    replaced = [
        path
        if path is None or "\\" not in path or is_url(path) or to_path(root, path).exists()
        else path.replace("\\", "/")
        for path in paths.to_pylist()
    ]
    return pa.array(replaced, paths.type)


def concat(tables: Sequence[SampleTable]) -> SampleTable:
    """Stack tables of one root."""
    return evolve(tables[0], table=pa.concat_tables([table.table for table in tables]))
