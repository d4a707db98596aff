"""A table of samples: CSV or Parquet, with an image column and any other column of a SampleTable.

Image columns are named by modality (`rgb`, `depth`, `ir`, or those of the option `modalities`); `path` and
its synonyms are read as `rgb`. Paths are relative to the file's folder. Labels, splits and columns may have
any of the names that `fas score` knows; `box` is `x y w h` in pixels of the first image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from attrs import frozen

from fas_core.data.text_lists import refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import COLUMNS, SampleTable
from fas_core.scores.files.labels import find_label_parsers
from fas_core.scores.label_words import (
    KNOWN_CLASSES,
    describe_synonyms,
    normalize_word,
    parse_split,
    refuse_synonyms,
)
from fas_plugins.datasets.base import Reader
from fas_plugins.datasets.manifest_table import (
    PATH_NAMES,
    match_columns,
    read_table,
    starts_with_separator_line,
)
from fas_plugins.datasets.options import ManifestOptions

USUAL_SPLITS = ("train", "dev", "test")


@frozen
class Manifest(Reader[ManifestOptions]):
    """Reader of one file, `root`. Without a `split` column everything is `test`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Columns that are not used, e.g. because of a mistyped name, and words that are read as others."""
        used = {*COLUMNS, *self._modalities}
        unused = [name for name in self._table.column_names if name not in used]
        notes = (f"unused columns: {format_list(unused, 10)}",) if unused else ()
        renamed = {name: column for name, column in self._renamed.items() if name != "path"}
        return (*notes, *describe_synonyms(renamed), *describe_synonyms(self._splits))

    def splits(self) -> tuple[str, ...]:
        """Return `train`, `dev` and `test` first, then others by name."""
        splits = set(pc.unique(self._samples.table.column("split")).to_pylist())
        return (*(name for name in USUAL_SPLITS if name in splits), *sorted(splits - set(USUAL_SPLITS)))

    def _read(self, split: str) -> SampleTable:
        """Return the rows of one split in the file's order. The default `id` is the first image's path."""
        selected = pc.equal(self._samples.table.column("split"), split)
        return self._samples.take(selected.to_numpy())

    @cached_property
    def _file(self) -> pa.Table:
        return read_table(self.root, (*COLUMNS, *PATH_NAMES, *self.options.modalities))

    @cached_property
    def _renamed(self) -> dict[str, str]:
        """`{name in the file: column of the sample table}` of the columns that are used."""
        return match_columns(self._file.column_names, self.options.modalities, self.root)

    @cached_property
    def _table(self) -> pa.Table:
        """The file's table, its columns named as those of the sample table."""
        return self._file.rename_columns([self._renamed.get(name, name) for name in self._file.column_names])

    @cached_property
    def _splits(self) -> dict[str, str]:
        """`{word in the file: split}`; raises DataError where two words mean the same split."""
        if "split" not in self._table.column_names:
            return {}
        words = pc.unique(self._table.column("split").cast(pa.string())).drop_null().to_pylist()
        splits = {word: parse_split(word) or word.strip() for word in words}
        refuse_synonyms({normalize_word(word): split for word, split in splits.items()}, self.root)
        return splits

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
                f"(found: {format_list(table.column_names, 12)}); "
                f"name others by the option modalities=[NAME, ...]"
            )
        if not len(table):
            raise DataError(f"{self.root}: no rows below the header")
        columns: dict[str, Any] = {
            name: table.column(name) for name in (*COLUMNS, *modalities) if name in table.column_names
        }
        columns.setdefault("id", pc.coalesce(*(table.column(name) for name in modalities)))
        columns.setdefault("split", pa.array(["test"] * len(table), pa.string()))
        columns["split"] = pa.array([self._splits.get(word, word) for word in columns["split"].to_pylist()])
        problems: list[tuple[int, str]] = []
        for name in ("id", "split"):
            missing = columns[name].is_null().to_pylist()
            problems += [(row, f"no {name}") for row, is_missing in enumerate(missing) if is_missing]
        for name, build_converter in CONVERTERS.items():
            if name in columns:
                values = columns[name].to_pylist()
                columns[name], failures = _convert(values, build_converter(values))
                problems += failures
        if problems:
            self._refuse(problems)
        return SampleTable.of(columns, modalities=modalities, root=self.root.parent)

    def _refuse(self, problems: list[tuple[int, str]]) -> None:
        """Raise a DataError of `(row, problem)`s, each `file:line: problem` of a CSV file."""
        if self.root.suffix.lower() == ".parquet":
            start, first = f"{self.root} row ", 0
        else:
            start, first = f"{self.root}:", 2 + starts_with_separator_line(self.root)
        refuse(self.root, [f"{start}{first + row}: {problem}" for row, problem in sorted(problems)])


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


def _build_label_parser(values: Sequence[Any]) -> Callable[[Any], int]:
    """Return the parser of a column of labels; in numbers, 1 is live."""
    parsers = find_label_parsers({str(value).strip().lower() for value in values if value is not None})

    def parse(value: Any) -> int:
        labels = [parser(str(value).strip().lower()) for parser in parsers]
        for label in labels:
            if label is not None:
                return label
        raise ValueError(f"label is {value!r}, expected 1 or 0, or a word: {KNOWN_CLASSES}")

    return parse


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


CONVERTERS: dict[str, Callable[[Sequence[Any]], Callable[[Any], Any]]] = {
    "label": _build_label_parser,
    "frame": lambda _: _parse_frame,
    "box": lambda _: _parse_box,
}
"""`{column: function that returns the converter of its values}`."""
