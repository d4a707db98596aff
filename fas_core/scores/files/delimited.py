"""Delimited text: finding the delimiter and the header, splitting lines into cells, parsing numbers."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from fas_core.errors import DataError, format_list
from fas_core.scores.files.labels import is_known_name

DELIMITERS = {"\t": "tab", ";": ";", "|": "|", ",": ",", " ": "blank"}
"""`{character: name}`; where several fit, the first is used."""

INSPECTED_LINES = 50
"""How many lines are read to find the delimiter."""

NUMBER = r"(?i)^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)$"
"""Without thousands separators or units."""

COMMA_NUMBER = NUMBER.replace(r"\.", ",")
DECIMAL_COMMA = r"^[+-]?0*,|,(\d{0,2}|\d{4,})(e|E|$)"
"""A comma that cannot separate thousands: not followed by exactly three digits, or after zeros alone."""

_NUMBER = re.compile(f"{NUMBER}|{COMMA_NUMBER.removeprefix('(?i)')}", re.ASCII | re.IGNORECASE)


def read_delimited(
    path: Path, text: str, delimiter: str | None, header: bool | None
) -> tuple[str, pa.Table, bool]:
    """Return (the format's name, columns of stripped strings, whether the file names them).

    The text has LF line ends and is not empty. None for `delimiter` or `header` to find out. Raises DataError
    where lines differ in their number of cells, a quote is not closed, or it is unclear if there is a header.
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
    types = dict.fromkeys(names, pa.string())
    table = pa.csv.read_csv(
        io.BytesIO(text.encode()),
        # A single thread reports uneven lines in their order.
        read_options=pa.csv.ReadOptions(use_threads=False, column_names=names),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, invalid_row_handler=skip),
        convert_options=pa.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
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
    known = [pc.utf8_lower(column) for column in columns if is_known_name(column[0].as_py())]
    recurring = [pc.any(pc.equal(column.slice(1), column[0])).as_py() for column in known]
    if not known or any(recurring):
        raise DataError(
            f"{path}: cannot tell whether the first line is a header ({', '.join(map(repr, first))}): "
            f"give --header or --no-header"
        )
    return True


def is_number(text: str) -> bool:
    """Whether a cell holds a number; surrounding blanks are ignored."""
    return _NUMBER.match(text.strip()) is not None


def find_non_numbers(column: pa.Array) -> pa.Array:
    """(N,) whether a stripped string is neither a number nor empty. Slow: for error messages."""
    wrong = pc.invert(pc.or_(pc.match_substring_regex(column, NUMBER), pc.equal(column, "")))
    return pc.fill_null(wrong, False)


def has_decimal_comma(column: pa.Array) -> bool:
    """Whether stripped strings, not all empty, are numbers with a decimal comma beyond doubt."""
    with_comma = column.filter(pc.match_substring(column, ","))
    if not pc.any(pc.match_substring_regex(with_comma, DECIMAL_COMMA)).as_py():
        return False
    fits = pc.or_(pc.match_substring_regex(column, COMMA_NUMBER), pc.equal(column, ""))
    return bool(pc.all(fits).as_py())


def parse_numbers(column: pa.Array) -> pa.Array | None:
    """float64 of stripped strings, null where one is empty; None unless all others are numbers."""
    try:
        return pc.if_else(pc.equal(column, ""), None, column).cast(pa.float64())
    except pa.ArrowInvalid:
        return parse_numbers(pc.replace_substring(column, ",", ".")) if has_decimal_comma(column) else None
