"""The table of a manifest file, and which of its columns are those of a sample table."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from fas_core.errors import DataError, format_list
from fas_core.records.samples import COLUMNS
from fas_core.scores.files.columns import COLUMN_NAMES, normalize_name
from fas_core.scores.files.labels import mentions_attack
from fas_core.scores.files.raw import decode_text, split_separator_line
from fas_core.scores.parquet import read_parquet
from fas_core.text_files import read_bytes, refuse_long_lines, refuse_many_columns

DELIMITERS = (",", ";", "\t", "|")
PATH_NAMES: tuple[str, ...] = ("path", "file", "filename", "file_name", "filepath", "file_path")
PATH_NAMES += ("image", "image_path", "image_name", "img", "img_path", "img_name", "color", "colour")


def read_table(path: Path, known: Collection[str]) -> pa.Table:
    """Read a CSV file, all columns as text and empty cells as null, or a Parquet file.

    The delimiter is what a first line `sep=;` says, else the one that gives most of the `known` names.

    Raises:
        DataError: the file is missing or malformed.
    """
    try:
        if path.suffix.lower() == ".parquet":
            return read_parquet(path)
        return _read_delimited(path, known)
    except (csv.Error, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read as a table: {' '.join(str(error).split())}") from error


def _read_delimited(path: Path, known: Collection[str]) -> pa.Table:
    """Read a text file; of one with a million rows there is no more than one copy at a time."""
    delimiter, text = split_separator_line(decode_text(path, read_bytes(path)))
    refuse_long_lines(text, str(path))
    start = len(text) - len(text.lstrip("\n"))
    end = text.find("\n", start) + 1 or len(text)
    header = text[start:end].rstrip("\n")
    delimiter = delimiter or max(
        DELIMITERS, key=lambda mark: len(set(_split_header(header, mark)) & set(known))
    )
    names = next(csv.reader([header], delimiter=delimiter))
    names = [name.strip() for name in names]
    refuse_many_columns(len(names), str(path))
    if repeated := sorted(name for name, count in Counter(names).items() if count > 1):
        raise DataError(f"{path}: column given twice: {format_list(repeated)}")
    if not re.compile(r"\S").search(text, end):
        raise DataError(f"{path}: no rows below the header")
    skipped = len(text[:end].encode())
    rows = pa.py_buffer(text.encode())[skipped:]
    del text
    return pa.csv.read_csv(
        pa.BufferReader(rows),
        read_options=pa.csv.ReadOptions(column_names=names),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
        ),
    )


def starts_with_separator_line(path: Path) -> bool:
    """Whether the header of a text file is its second line, after `sep=;`."""
    return split_separator_line(decode_text(path, read_bytes(path)))[0] is not None


def match_columns(names: Sequence[str], modalities: Sequence[str], path: Path) -> dict[str, str]:
    """Return `{name in the file: column of the sample table}` of the columns that are used.

    A name matches itself first, then as another spelling or a synonym (`Label`, `client_id`).

    Raises:
        DataError: several synonyms of a column are among the names, and not the column's own name.
    """
    synonyms = {name: COLUMN_NAMES.get(name, [name]) for name in (*COLUMNS, *modalities)}
    synonyms["id"] = ["id", "sample_id", "image_id"]
    # A high `is_attack` is an attack, so it cannot stand for `label`.
    synonyms["label"] = [name for name in synonyms["label"] if not mentions_attack(name)]
    if "rgb" in modalities or len(modalities) == 1:
        default = "rgb" if "rgb" in modalities else modalities[0]
        synonyms[default] = [default, *PATH_NAMES]
    matched = {name: name for name in names if name in synonyms}
    for column, words in synonyms.items():
        if column in matched.values():
            continue
        candidates = [name for word in words for name in names if normalize_name(name) == word]
        candidates = [name for name in candidates if name not in matched]
        if len(candidates) > 1 and "path" not in candidates:
            raise DataError(
                f"{path}: {len(candidates)} columns could be {column!r}: {format_list(candidates)}: "
                f"rename the right one to {'path' if column in modalities else column!r}"
            )
        if candidates:
            matched["path" if "path" in candidates else candidates[0]] = column
    return matched


def _split_header(header: str, delimiter: str) -> list[str]:
    return [normalize_name(name) for name in next(csv.reader([header], delimiter=delimiter))]
