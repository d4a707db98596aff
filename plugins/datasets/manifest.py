"""A table of samples: CSV or Parquet, with an image column and any other column of a SampleTable.

Image columns are named by modality (`rgb`, `depth`, `ir`, or those of the option `modalities`); `path` and
its synonyms are read as `rgb`. Images are named by URLs, or by paths relative to the file's folder or to
`image_root`. Labels, splits and columns may have any of the names that `fas score` knows; `box` is `x y w h`
in pixels of the first image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import frozen
from numpy.typing import NDArray

from fas_core.data.text_lists import refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import COLUMNS, SampleTable, has_urls
from fas_core.scores.files.labels import find_label_parsers
from fas_core.scores.label_words import (
    KNOWN_CLASSES,
    describe_synonyms,
    normalize_word,
    parse_split,
    refuse_synonyms,
)
from fas_core.urls import Location, to_location
from fas_core.user_paths import expand_user
from fas_plugins.datasets.base import Reader
from fas_plugins.datasets.manifest_table import (
    PATH_NAMES,
    match_columns,
    read_table,
    starts_with_separator_line,
)
from fas_plugins.datasets.options import ManifestOptions

USUAL_SPLITS = ("train", "dev", "test")


@frozen(eq=False)
class Content:
    """What a manifest holds, without the table of the file, which takes as much memory again.

    Args:
        columns: names of all columns, as of the sample table where they are used.
        renamed: `{name in the file: column of the sample table}` of the columns that are used.
        splits: `{word in the file: split}`.
    """

    columns: tuple[str, ...]
    renamed: Mapping[str, str]
    splits: Mapping[str, str]
    samples: SampleTable


@frozen
class Manifest(Reader[ManifestOptions]):
    """Reader of one file, `root`. Without a `split` column everything is `test`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Columns that are not used, e.g. because of a mistyped name, and words that are read as others."""
        unused = self.attribute_names()
        notes = (f"unused columns: {format_list(unused, 10)}",) if unused else ()
        renamed = {name: column for name, column in self._content.renamed.items() if name != "path"}
        return (*notes, *describe_synonyms(renamed), *describe_synonyms(self._content.splits))

    def splits(self) -> tuple[str, ...]:
        """Return `train`, `dev` and `test` first, then others by name."""
        splits = set(pc.unique(self._content.samples.table.column("split")).to_pylist())
        return (*(name for name in USUAL_SPLITS if name in splits), *sorted(splits - set(USUAL_SPLITS)))

    def attribute_names(self) -> tuple[str, ...]:
        """Return the columns that are no part of a sample table, such as `skin_tone`."""
        return tuple(name for name in self._content.columns if name not in {*COLUMNS, *self._modalities})

    def attribute(self, name: str) -> dict[str, str]:
        """Return `{id of a sample: value}` of such a column, without empty values; the file is read again."""
        column = self._read_table().column(name).cast(pa.string())
        values = pc.utf8_trim_whitespace(column)
        ids = self._content.samples.table.column("id")
        return {key: value for key, value in zip(ids.to_pylist(), values.to_pylist(), strict=True) if value}

    def _read_table(self) -> pa.Table:
        return read_table(self.root, (*COLUMNS, *PATH_NAMES, *self.options.modalities))

    def _read(self, split: str) -> SampleTable:
        """Return the rows of one split in the file's order.

        The default `id` is the first image's path, or its URL without credentials.
        """
        samples = self._content.samples
        return samples.take(pc.equal(samples.table.column("split"), split).to_numpy())

    @property
    def _modalities(self) -> tuple[str, ...]:
        return tuple(name for name in self.options.modalities if name in self._content.columns)

    @cached_property
    def _content(self) -> Content:
        """Read the file.

        Raises:
            DataError: there is no image column or no row, or values are not what their column expects.
        """
        table = self._read_table()
        renamed = match_columns(table.column_names, self.options.modalities, self.root)
        names = tuple(renamed.get(name, name) for name in table.column_names)
        if not len(table) and set(self.options.modalities) & set(names):
            raise DataError(f"{self.root}: no rows below the header")
        columns = dict(zip(names, table.columns, strict=True))
        del table  # so that each column is freed once it is copied
        for name in columns:
            columns[name] = pa.chunked_array([columns[name].combine_chunks()])
        splits = self._read_splits(columns)
        return Content(names, renamed, splits, self._convert_columns(columns, splits))

    def _read_splits(self, columns: Mapping[str, pa.ChunkedArray]) -> dict[str, str]:
        """Return `{word in the file: split}`; raise DataError where two words mean the same split."""
        if "split" not in columns:
            return {}
        words = pc.unique(columns["split"].cast(pa.string())).drop_null().to_pylist()
        splits = {word: parse_split(word) or word.strip() for word in words}
        refuse_synonyms({normalize_word(word): split for word, split in splits.items()}, self.root)
        return splits

    def _convert_columns(self, read: Mapping[str, pa.ChunkedArray], splits: Mapping[str, str]) -> SampleTable:
        """Return all rows, with converted values."""
        modalities = tuple(name for name in self.options.modalities if name in read)
        if not modalities:
            raise DataError(
                f"{self.root}: no image column, one of path, {', '.join(self.options.modalities)} "
                f"(found: {format_list(list(read), 12)}); "
                f"name others by the option modalities=[NAME, ...]"
            )
        columns: dict[str, Any] = {name: read[name] for name in (*COLUMNS, *modalities) if name in read}
        columns.setdefault("id", _first_path([columns[name] for name in modalities]))
        columns.setdefault("split", pa.chunked_array([pa.array(["test"] * len(columns["id"]), pa.string())]))
        problems: list[tuple[int, str]] = []
        for name in ("id", "split"):
            problems += [(int(row), f"no {name}") for row in np.flatnonzero(columns[name].is_null())]
        columns["split"], _ = _convert(columns["split"], lambda _: lambda word: splits.get(word, word))
        for name, build_converter in CONVERTERS.items():
            if name in columns:
                columns[name], failures = _convert(columns[name], build_converter)
                problems += failures
        if problems:
            self._refuse(problems)
        return SampleTable.of(columns, modalities=modalities, root=self._image_root)

    @property
    def _image_root(self) -> Location:
        if self.options.image_root is None:
            return self.root.parent
        root = to_location(self.options.image_root)
        return expand_user(root) if isinstance(root, Path) else root

    def _refuse(self, problems: list[tuple[int, str]]) -> None:
        """Raise a DataError of `(row, problem)`s, each `file:line: problem` of a CSV file."""
        if self.root.suffix.lower() == ".parquet":
            start, first = f"{self.root} row ", 0
        else:
            start, first = f"{self.root}:", 2 + starts_with_separator_line(self.root)
        refuse(self.root, [f"{start}{first + row}: {problem}" for row, problem in sorted(problems)])


def _first_path(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Return the first path of each row, without credentials; of local images it is the column itself."""
    paths = pc.coalesce(*columns) if columns[0].null_count else columns[0]
    if not has_urls(paths.cast(pa.string())):
        return paths
    names = (path if path is None else str(to_location(path)) for path in paths.to_pylist())
    return pa.chunked_array([pa.array(names, pa.string())])


def _convert(
    column: pa.ChunkedArray, build_converter: Callable[[Sequence[Any]], Callable[[Any], Any]]
) -> tuple[list[Any], list[tuple[int, str]]]:
    """Return the converted values, None for null and invalid ones, and `(row, problem)` of invalid ones.

    Each distinct value is converted once: of a million labels there are two.
    """
    values, codes = _find_distinct(column)
    convert = build_converter(values)
    converted: list[Any] = []
    failures: dict[int, str] = {}
    for code, value in enumerate(values):
        try:
            converted.append(None if value is None else convert(value))
        except ValueError as error:
            converted.append(None)
            failures[code] = str(error)
    rows = np.flatnonzero(np.isin(codes, list(failures))) if failures else ()
    return [converted[code] for code in codes], [(int(row), failures[codes[row]]) for row in rows]


def _find_distinct(column: pa.ChunkedArray) -> tuple[list[Any], NDArray[np.integer[Any]]]:
    """Return the distinct values of a column, and which of them each row has; lists are all taken."""
    if pa.types.is_nested(column.type):
        return column.to_pylist(), np.arange(len(column))
    encoded = column.dictionary_encode(null_encoding="encode").unify_dictionaries().combine_chunks()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()


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
