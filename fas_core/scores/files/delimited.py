"""Delimited text: which character separates the cells, whether the first line is a header, and the cells."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from attrs import frozen

from fas_core.errors import DataError, format_list
from fas_core.scores.files.column_names import recognised
from fas_core.scores.files.numbers import is_number

DELIMITERS = {"\t": "tab", ";": ";", "|": "|", ",": ",", " ": "blank"}
"""Character -> how it is called; where several fit, the first counts."""

LOOKED_AT = 50
"""Lines by which the delimiter is found."""


@frozen
class Bad:
    """A line with another number of cells than the first."""

    text: str
    cells: int

    def __str__(self) -> str:
        short = self.text if len(self.text) <= 40 else f"{self.text[:37]}..."
        return f"{short!r} ({self.cells})"


def read_delimited(
    path: Path, text: str, delimiter: str | None, header: bool | None
) -> tuple[str, pa.Table, bool]:
    """(what it is, columns of stripped strings, whether the file names them).

    Args:
        path: what errors call it.
        text: all of it, with LF line ends; not empty.
        delimiter: None to find out.
        header: whether the first line is one; None to find out.

    Raises:
        DataError: lines differ in their number of cells, a quote is not closed, or it cannot be told
            whether the first line is a header.
    """
    mark = delimiter or find_delimiter(text)
    columns = _split_blanks(path, text) if mark == " " and '"' not in text else _split(path, text, mark)
    first = [column[0].as_py() for column in columns]
    named = _is_header(path, first, columns) if header is None else header
    # A header may leave a name out, as that of an index often is.
    names = [str(at) if not (named and name) else name for at, name in enumerate(first, 1)]
    table = pa.Table.from_arrays(columns, names=names).slice(int(named))
    form = "text" if mark == " " else f"CSV ({DELIMITERS.get(mark, mark)})"
    return form, table, named


def find_delimiter(text: str) -> str:
    """The first of `DELIMITERS` that cuts most lines into as many cells, a number among them."""
    head = text[:100_000].split("\n")
    lines = [line for line in head[:-1] or head if line.strip()][:LOOKED_AT]
    for mark in DELIMITERS:
        rows = _cells(lines, mark)
        widths = Counter(len(row) for row in rows)
        width = max(widths, key=lambda width: widths[width])
        fitting = [row for row in rows if len(row) == width and any(map(is_number, row))]
        if width > 1 and 2 * len(fitting) >= len(lines) - 1 and fitting:
            return mark
    return ","


def _cells(lines: list[str], mark: str) -> list[list[str]]:
    if mark == " " and not any('"' in line for line in lines):
        return [line.split() for line in lines]
    return [next(csv.reader([line], delimiter=mark), []) for line in lines]


def _split(path: Path, text: str, mark: str) -> list[pa.Array]:
    bad: list[Bad] = []

    def skip(row: pa.csv.InvalidRow) -> str:
        bad.append(Bad(row.text, row.actual_columns))
        return "skip"

    width = len(_cells([text.lstrip("\n").partition("\n")[0]], mark)[0])
    names = [str(at) for at in range(width)]
    table = pa.csv.read_csv(
        io.BytesIO(text.encode()),
        # One thread keeps the offenders in their order.
        read_options=pa.csv.ReadOptions(use_threads=False, column_names=names),
        parse_options=pa.csv.ParseOptions(delimiter=mark, invalid_row_handler=skip),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    _refuse(path, bad, width)
    columns = [column.combine_chunks() for column in table.columns]
    for column in columns:
        # A quote that is not closed swallows what follows, up to the next quote some lines below.
        if pc.any(pc.match_substring(column, "\n")).as_py():
            raise DataError(f"{path}: a quote is opened and not closed on its line")
    return [pc.utf8_trim_whitespace(column) for column in columns]


def _split_blanks(path: Path, text: str) -> list[pa.Array]:
    """As the published lists and submissions are: any number of blanks, also at the end."""
    lines = pa.array([stripped for line in text.split("\n") if (stripped := line.strip())], pa.string())
    words = pc.ascii_split_whitespace(lines)
    counts = pc.list_value_length(words)
    width = counts[0].as_py()
    uneven = pc.not_equal(counts, width)
    wrong = zip(lines.filter(uneven), counts.filter(uneven), strict=True)
    _refuse(path, [Bad(line.as_py(), count.as_py()) for line, count in wrong], width)
    flat = words.flatten()
    return [flat.take(pa.array(np.arange(at, len(flat), width))) for at in range(width)]


def _refuse(path: Path, bad: list[Bad], width: int) -> None:
    if bad:
        raise DataError(
            f"{path}: {len(bad)} of the lines have other than {width} cells, as the first line has: "
            f"{format_list(bad, 3)}"
        )


def _is_header(path: Path, first: list[str], columns: list[pa.Array]) -> bool:
    """A line without a number that names something, which is no value below it."""
    if any(map(is_number, first)):
        return False
    known = [at for at, name in enumerate(first) if recognised(name)]
    values = [pc.utf8_lower(columns[at].slice(1)) for at in known]
    recurring = any(
        pc.any(pc.equal(column, first[at].lower())).as_py() for at, column in zip(known, values, strict=True)
    )
    if not known or recurring:
        raise DataError(
            f"{path}: cannot tell whether the first line is a header ({', '.join(map(repr, first))}): "
            f"give --header or --no-header"
        )
    return True
