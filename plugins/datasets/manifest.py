"""A table of samples: CSV or Parquet, with an image column and any other column of a SampleTable.

Image columns are named by modality (`rgb`, `depth`, `ir`); `path` is taken for `rgb`. Paths are relative
to the file's folder. `label` is 1 or live, 0 or attack; `box` is `x y w h`, pixels of the first image.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from attrs import field, frozen

from fas_core.data.text_lists import known_split, refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, COLUMNS, LIVE, SampleTable
from fas_plugins.datasets.options import ManifestOptions

WORDS = {
    **dict.fromkeys(("1", "1.0", "live", "bonafide", "bona_fide", "bona fide", "real"), LIVE),
    **dict.fromkeys(("0", "0.0", "attack", "spoof", "fake"), ATTACK),
}
USUAL_SPLITS = ("train", "dev", "test")


@frozen
class Manifest:
    """Reader of one file, `root`. Without a `split` column everything is `test`."""

    options: ManifestOptions
    root: Path = field(converter=Path)

    overlaps: tuple[tuple[str, str], ...] = field(default=(), init=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """Columns that are not used, among them any whose name was mistyped."""
        table = self._table
        unused = [name for name in table.column_names if name not in COLUMNS and name not in self._modalities]
        return (f"columns that are not used: {format_list(unused, 10)}",) if unused else ()

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        """`train`, `dev` and `test` first, then others by name."""
        named = set(pc.unique(self._samples.table.column("split")).to_pylist())
        return (*(name for name in USUAL_SPLITS if name in named), *sorted(named - set(USUAL_SPLITS)))

    def samples(self, split: str) -> SampleTable:
        """Rows of one split, in the file's order; `id` is the first image's path where it is not given.

        Raises:
            DataError: the file is not such a table, or values are not what their column asks for.
        """
        known_split(split, self.splits(), self.root)
        chosen = pc.equal(self._samples.table.column("split"), split)
        return self._samples.take(chosen.to_numpy())

    @cached_property
    def _table(self) -> pa.Table:
        """The file as it is; `path` is called `rgb`."""
        table = read_table(self.root)
        names = [
            "rgb" if name == "path" and "rgb" not in table.column_names else name
            for name in table.column_names
        ]
        return table.rename_columns(names)

    @property
    def _modalities(self) -> tuple[str, ...]:
        found = self._table.column_names
        return tuple(name for name in self.options.modalities if name in found)

    @cached_property
    def _samples(self) -> SampleTable:
        """All rows, checked."""
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
        columns.setdefault("split", ["test"] * len(table))
        problems: list[tuple[int, str]] = []
        for name in ("id", "split"):
            problems += [
                (row, f"no {name}") for row, value in enumerate(_list(columns[name])) if value is None
            ]
        for name, convert in CONVERTERS.items():
            if name in columns:
                columns[name], wrong = _converted(columns[name], convert)
                problems += wrong
        refuse(self.root, [f"{_place(self.root, row)}: {problem}" for row, problem in sorted(problems)])
        return SampleTable.of(columns, modalities=modalities, root=self.root.parent)


def read_table(path: Path) -> pa.Table:
    """A CSV file, all columns as text and empty cells null, or a Parquet file.

    Raises:
        DataError: it is not there or not such a file.
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


def _place(path: Path, row: int) -> str:
    """`file:line` in a CSV file, whose first line is the header."""
    return f"{path}:{row + 2}" if path.suffix.lower() != ".parquet" else f"{path} row {row}"


def _list(column: Any) -> list[Any]:
    return column if isinstance(column, list) else list(column.to_pylist())


def _converted(column: Any, convert: Callable[[Any], Any]) -> tuple[list[Any], list[tuple[int, str]]]:
    """Values, None where they are null or cannot be converted, and `(row, what is wrong)` of the latter."""
    values: list[Any] = []
    problems: list[tuple[int, str]] = []
    for row, value in enumerate(_list(column)):
        try:
            values.append(None if value is None else convert(value))
        except ValueError as error:
            values.append(None)
            problems.append((row, str(error)))
    return values, problems


def _label(value: Any) -> int:
    word = str(value).strip().lower()
    if word not in WORDS:
        raise ValueError(f"label {value!r}, and not 1 or live, 0 or attack")
    return WORDS[word]


def _frame(value: Any) -> int:
    try:
        if (number := float(value)).is_integer():
            return int(number)
    except ValueError:
        pass
    raise ValueError(f"frame {value!r}, and not a whole number")


def _box(value: Any) -> list[float]:
    try:
        numbers = [float(number) for number in (value.split() if isinstance(value, str) else value)]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not (numbers[2] > 0 and numbers[3] > 0):
        raise ValueError(f"box {value!r}, and not 'x y w h' in pixels")
    return numbers


CONVERTERS: dict[str, Callable[[Any], Any]] = {"label": _label, "frame": _frame, "box": _box}
