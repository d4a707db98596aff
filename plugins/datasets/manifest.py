"""A table of samples: CSV or Parquet, with an image column and any other column of a SampleTable.

Image columns are named by modality (`rgb`, `depth`, `ir`); `path` is read as `rgb`. Paths are relative to the
file's folder. `label` is 1 or live, 0 or attack; `box` is `x y w h` in pixels of the first image.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from attrs import frozen

from fas_core.data.text_lists import refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, COLUMNS, LIVE, SampleTable
from fas_plugins.datasets.base import Reader
from fas_plugins.datasets.options import ManifestOptions

LABEL_WORDS = {
    **dict.fromkeys(("1", "1.0", "live", "bonafide", "bona_fide", "bona fide", "real"), LIVE),
    **dict.fromkeys(("0", "0.0", "attack", "spoof", "fake"), ATTACK),
}
USUAL_SPLITS = ("train", "dev", "test")


@frozen
class Manifest(Reader[ManifestOptions]):
    """Reader of one file, `root`. Without a `split` column everything is `test`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Columns that are not used, e.g. because of a mistyped name."""
        used = {*COLUMNS, *self._modalities}
        unused = [name for name in self._table.column_names if name not in used]
        return (f"unused columns: {format_list(unused, 10)}",) if unused else ()

    def splits(self) -> tuple[str, ...]:
        """Return `train`, `dev` and `test` first, then others by name."""
        splits = set(pc.unique(self._samples.table.column("split")).to_pylist())
        return (*(name for name in USUAL_SPLITS if name in splits), *sorted(splits - set(USUAL_SPLITS)))

    def _read(self, split: str) -> SampleTable:
        """Return the rows of one split in the file's order. The default `id` is the first image's path."""
        selected = pc.equal(self._samples.table.column("split"), split)
        return self._samples.take(selected.to_numpy())

    @cached_property
    def _table(self) -> pa.Table:
        """The file's table, with `path` renamed to `rgb`."""
        table = read_table(self.root)
        if "rgb" in table.column_names:
            return table
        return table.rename_columns(["rgb" if name == "path" else name for name in table.column_names])

    @property
    def _modalities(self) -> tuple[str, ...]:
        return tuple(name for name in self.options.modalities if name in self._table.column_names)

    @cached_property
    def _samples(self) -> SampleTable:
        """All rows, with converted values.

        Raises:
            DataError: there is no image column or no row, or values are not what their column expects.
        """
        table, modalities = self._table, self._modalities
        if not modalities:
            raise DataError(
                f"{self.root}: no image column, one of path, {', '.join(self.options.modalities)} "
                f"(found: {', '.join(table.column_names)})"
            )
        if not len(table):
            raise DataError(f"{self.root}: no rows below the header")
        columns: dict[str, Any] = {
            name: table.column(name) for name in (*COLUMNS, *modalities) if name in table.column_names
        }
        columns.setdefault("id", pc.coalesce(*(table.column(name) for name in modalities)))
        columns.setdefault("split", pa.array(["test"] * len(table), pa.string()))
        problems: list[tuple[int, str]] = []
        for name in ("id", "split"):
            missing = columns[name].is_null().to_pylist()
            problems += [(row, f"no {name}") for row, is_missing in enumerate(missing) if is_missing]
        for name, convert in CONVERTERS.items():
            if name in columns:
                columns[name], failures = _convert(columns[name].to_pylist(), convert)
                problems += failures
        refuse(self.root, [f"{_locate(self.root, row)}: {problem}" for row, problem in sorted(problems)])
        return SampleTable.of(columns, modalities=modalities, root=self.root.parent)


def read_table(path: Path) -> pa.Table:
    """Read a CSV file, all columns as text and empty cells as null, or a Parquet file.

    Raises:
        DataError: the file is missing or malformed.
    """
    try:
        if path.suffix.lower() == ".parquet":
            return pa.parquet.read_table(path)
        with path.open(encoding="utf-8-sig", newline="") as stream:
            names = [name.strip() for name in next(csv.reader(stream), [])]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise DataError(f"{path}: column given twice: {format_list(sorted(repeated))}")
        read = pa.csv.ReadOptions(column_names=names, skip_rows=1)
        convert = pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
        )
        return pa.csv.read_csv(path, read_options=read, convert_options=convert)
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowInvalid) as error:
        raise DataError(f"{path}: cannot be read as a table: {error}") from error


def _locate(path: Path, row: int) -> str:
    """Return `file:line` of a row in a CSV file, whose first line is the header, or `file row N`."""
    return f"{path}:{row + 2}" if path.suffix.lower() != ".parquet" else f"{path} row {row}"


def _convert(values: Sequence[Any], convert: Callable[[Any], Any]) -> tuple[list[Any], list[tuple[int, str]]]:
    """Return the converted values, None for null and invalid ones, and `(row, problem)` of invalid ones."""
    converted: list[Any] = []
    problems: list[tuple[int, str]] = []
    for row, value in enumerate(values):
        try:
            converted.append(None if value is None else convert(value))
        except ValueError as error:
            converted.append(None)
            problems.append((row, str(error)))
    return converted, problems


def _parse_label(value: Any) -> int:
    word = str(value).strip().lower()
    if word not in LABEL_WORDS:
        raise ValueError(f"label is {value!r}, expected 1 or live, 0 or attack")
    return LABEL_WORDS[word]


def _parse_frame(value: Any) -> int:
    try:
        if (number := float(value)).is_integer():
            return int(number)
    except ValueError:
        pass
    raise ValueError(f"frame is {value!r}, expected a whole number")


def _parse_box(value: Any) -> list[float]:
    try:
        numbers = [float(number) for number in (value.split() if isinstance(value, str) else value)]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not (numbers[2] > 0 and numbers[3] > 0):
        raise ValueError(f"box is {value!r}, expected 'x y w h' in pixels")
    return numbers


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "label": _parse_label,
    "frame": _parse_frame,
    "box": _parse_box,
}
