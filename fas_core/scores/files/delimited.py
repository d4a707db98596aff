"""Delimited text: finding the delimiter and the header, and splitting lines into cells."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from fas_core.errors import DataError, format_list
from fas_core.scores.files.column_names import is_known_name
from fas_core.scores.files.numbers import is_number

DELIMITERS = {"\t": "tab", ";": ";", "|": "|", ",": ",", " ": "blank"}
"""`{character: name}`; where several fit, the first is used."""

INSPECTED_LINES = 50
"""How many lines are read to find the delimiter."""


def read_delimited(
    path: Path, text: str, delimiter: str | None, header: bool | None
) -> tuple[str, pa.Table, bool]:
    """Return (the format's name, columns of stripped strings, whether the file names them).

    The text has LF line ends and is not empty. None for `delimiter` or `header` to find out.

    Raises:
        DataError: lines differ in their number of cells, a quote is not closed, or the first line could
            be a header or not.
    """
    delimiter = delimiter or find_delimiter(text)
    split = _split_blanks if delimiter == " " and '"' not in text else _split
    columns = split(path, text, delimiter)
    first = [column[0].as_py() for column in columns]
    named = _is_header(path, first, columns) if header is None else header
    # A header can omit a name, often that of an index.
    names = [name if named and name else str(number) for number, name in enumerate(first, 1)]
    table = pa.Table.from_arrays(columns, names=names).slice(int(named))
    form = "text" if delimiter == " " else f"CSV ({DELIMITERS.get(delimiter, delimiter)})"
    return form, table, named


def find_delimiter(text: str) -> str:
    """The first of `DELIMITERS` that splits most lines into as many cells, a number among them."""
    head = text[:100_000].split("\n")
    lines = [line for line in head[:-1] or head if line.strip()][:INSPECTED_LINES]
    for delimiter in DELIMITERS:
        rows = _split_lines(lines, delimiter)
        ((width, _),) = Counter(map(len, rows)).most_common(1)
        fitting = [row for row in rows if len(row) == width and any(map(is_number, row))]
        if width > 1 and 2 * len(fitting) >= len(lines) - 1 and fitting:
            return delimiter
    return ","


def _split_lines(lines: list[str], delimiter: str) -> list[list[str]]:
    if delimiter == " " and not any('"' in line for line in lines):
        return [line.split() for line in lines]
    return [next(csv.reader([line], delimiter=delimiter), []) for line in lines]


def _split(path: Path, text: str, delimiter: str) -> list[pa.Array]:
    uneven: list[tuple[str, int]] = []

    def skip(row: pa.csv.InvalidRow) -> str:
        uneven.append((row.text, row.actual_columns))
        return "skip"

    width = len(_split_lines([text.lstrip("\n").partition("\n")[0]], delimiter)[0])
    names = [str(index) for index in range(width)]
    table = pa.csv.read_csv(
        io.BytesIO(text.encode()),
        # A single thread reports uneven lines in their order.
        read_options=pa.csv.ReadOptions(use_threads=False, column_names=names),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, invalid_row_handler=skip),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    _refuse_uneven(path, uneven, width)
    columns = [column.combine_chunks() for column in table.columns]
    # A quote that is not closed swallows what follows, up to the next quote some lines below.
    if any(pc.any(pc.match_substring(column, "\n")).as_py() for column in columns):
        raise DataError(f"{path}: a quote is opened and not closed on its line")
    return [pc.utf8_trim_whitespace(column) for column in columns]


def _split_blanks(path: Path, text: str, _: str) -> list[pa.Array]:
    """Split at any number of blanks, also at the end, as the published lists and submissions have them."""
    lines = pa.array([stripped for line in text.split("\n") if (stripped := line.strip())], pa.string())
    words = pc.ascii_split_whitespace(lines)
    counts = pc.list_value_length(words)
    width = counts[0].as_py()
    uneven = pc.not_equal(counts, width)
    pairs = zip(lines.filter(uneven).to_pylist(), counts.filter(uneven).to_pylist(), strict=True)
    _refuse_uneven(path, list(pairs), width)
    cells = words.flatten()
    return [cells.take(pa.array(np.arange(column, len(cells), width))) for column in range(width)]


def _refuse_uneven(path: Path, uneven: list[tuple[str, int]], width: int) -> None:
    """Refuse lines, with their number of cells, that differ from the first line, which has `width`."""
    if uneven:
        short = [text if len(text) <= 40 else f"{text[:37]}..." for text, _ in uneven]
        examples = [f"{text!r} ({cells})" for text, (_, cells) in zip(short, uneven, strict=True)]
        raise DataError(
            f"{path}: {len(uneven)} of the lines have other than {width} cells, as the first line has: "
            f"{format_list(examples, 3)}"
        )


def _is_header(path: Path, first: list[str], columns: list[pa.Array]) -> bool:
    """Whether the first line has no number, but a usual column name that is not a value further down."""
    if any(map(is_number, first)):
        return False
    known = [
        (column, name.lower()) for column, name in zip(columns, first, strict=True) if is_known_name(name)
    ]
    recurring = [pc.any(pc.equal(pc.utf8_lower(column.slice(1)), name)).as_py() for column, name in known]
    if not known or any(recurring):
        raise DataError(
            f"{path}: cannot tell whether the first line is a header ({', '.join(map(repr, first))}): "
            f"give --header or --no-header"
        )
    return True
