"""Read the columns of a file: Parquet and JSON-lines keep their types, delimited text gives strings."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json

from fas_core.errors import DataError, format_list
from fas_core.scores.files.columns import RawTable, is_known_name
from fas_core.scores.files.labels import is_number
from fas_core.scores.parquet import read_parquet
from fas_core.text_files import (
    MAX_COLUMNS,
    MAX_DEPTH,
    parse_json,
    read_bytes,
    refuse_long_lines,
    refuse_long_numbers,
    refuse_many_columns,
)

PARQUET = b"PAR1"
ZIP = b"PK\x03\x04"
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")

JSON_KEY = re.compile(r'"((?:[^"\\]|\\.)*+)"\s*+:')

DELIMITERS = {"\t": "tab", ";": ";", "|": "|", ",": ",", " ": "blank"}  # the first that fits is used


def read_raw_table(path: Path, *, delimiter: str | None = None, header: bool | None = None) -> RawTable:
    """Read Parquet, JSON-lines or delimited text, recognised by the file's content.

    `delimiter` and `header` (whether there is one) are those of text; None to find out. Raises DataError
    where the file is missing, has none of these formats, is damaged, has no rows or gives a column twice.
    """
    if path.is_dir():
        raise DataError(f"{path}: a folder, not a score file (fas eval evaluates a run)")
    if not path.exists():
        raise DataError(f"{path}: no such score file")
    data = read_bytes(path)
    try:
        raw = _parse(path, data, delimiter, header)
        names = raw.names
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read as a table: {' '.join(str(error).split())}") from error
    refuse_many_columns(len(names), str(path))
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise DataError(f"{path}: {len(twice)} columns are given twice: {format_list(twice)}")
    if broken := sum(not name.isprintable() for name in names):
        raise DataError(f"{path}: {broken} columns have names that cannot be printed: a damaged file?")
    if not len(raw):
        raise DataError(f"{path}: no rows" + (f" below the header ({raw.summary})" if names else ""))
    return raw


def _parse(path: Path, data: bytes, delimiter: str | None, header: bool | None) -> RawTable:
    if data.startswith(PARQUET) or path.suffix.lower() == ".parquet":
        return RawTable(path, "Parquet", read_parquet(path))
    text = decode_text(path, data)
    refuse_long_numbers(data, str(path))
    if scores := _read_json_object(text):
        return RawTable(
            path, "JSON object (id: score)", pa.table({"id": list(scores), "score": list(scores.values())})
        )
    if text[:1000].lstrip().startswith("{") or path.suffix.lower() in JSON_SUFFIXES:
        return RawTable(path, "JSON-lines", _read_json(path, text))
    refuse_long_lines(text, str(path))
    declared, text = split_separator_line(text)
    return read_delimited(path, text, delimiter or declared, header)


def split_separator_line(text: str) -> tuple[str | None, str]:
    """Return the delimiter that a first line `sep=;` declares, as spreadsheets write it, and the rest."""
    match = re.match(r'"?sep=(.)"?\n', text, re.IGNORECASE)
    return (match[1], text[match.end() :]) if match else (None, text)


def decode_text(path: Path, data: bytes) -> str:
    """Decode UTF-8, or UTF-16 with a byte order mark, to text with LF line ends and without the mark."""
    if data.startswith(ZIP):
        raise DataError(f"{path}: a workbook or another ZIP archive: save what is in it as CSV")
    encoding = "UTF-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "UTF-8"
    try:
        text = data.decode("utf-8-sig" if encoding == "UTF-8" else encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not text in {encoding} (byte {error.start} is not), nor Parquet") from None
    if "\0" in text:
        raise DataError(f"{path}: a NUL byte at {text.index(chr(0))}: not a text file, or a damaged one")
    if not text or text.isspace():
        raise DataError(f"{path}: the file is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_json_object(text: str) -> dict[str, float] | None:
    """Return the scores of a JSON object `{id: score}`; None for anything else, e.g. a JSON-lines row."""
    if not text[:1000].lstrip().startswith("{"):
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):  # several objects, one a line
        return None
    if not all(type(value) in (int, float) for value in values.values()) or any(map(is_known_name, values)):
        return None
    return {name: float(value) for name, value in values.items()}


def _read_json(path: Path, text: str) -> pa.Table:
    if text[:1000].lstrip().startswith("["):
        raise DataError(f"{path}: a JSON array; write one object a line (JSON-lines)")
    refuse_long_lines(text, str(path))
    _check_objects(path, text)
    data, options = text.encode(), pa.json.ReadOptions(use_threads=False)
    table = pa.json.read_json(io.BytesIO(data), options)
    dates = [(field.name, pa.string()) for field in table.schema if pa.types.is_temporal(field.type)]
    if not dates:
        return table
    types = pa.json.ParseOptions(explicit_schema=pa.schema(dates))  # ids that look like dates must stay text
    return pa.json.read_json(io.BytesIO(data), options, types)


def _check_objects(path: Path, text: str) -> None:
    """Refuse lines that are no objects, are nested too deep or have too many keys in all.

    Arrow would make a column of each key, and it ends the process at a block of lines that are all null.
    """
    keys = set()
    for match in JSON_KEY.finditer(text):
        keys.add(match[1])
        if len(keys) > MAX_COLUMNS:
            raise DataError(f"{path}: more than {MAX_COLUMNS:,} columns")
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip()[:1] not in ("", "{"):
            raise DataError(f"{path}:{number}: no object; JSON-lines have one object a line")
        if line.count("{") + line.count("[") > MAX_DEPTH:
            parse_json(line, f"{path}:{number}")


def read_delimited(path: Path, text: str, delimiter: str | None, header: bool | None) -> RawTable:
    """Return columns of stripped strings.

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
    return RawTable(path, form, table, named)


def find_delimiter(text: str) -> str:
    """The first of `DELIMITERS` that splits most of 50 lines into as many cells, a number among them."""
    head = text[:100_000].split("\n")
    complete, last = ([line for line in part if line.strip()] for part in (head[:-1], head[-1:]))
    lines = (complete or last)[:50]
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
    refuse_many_columns(width, str(path))
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
    refuse_many_columns(width, str(path))
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
            f"{path}: cannot tell whether the first line is a header ({format_list(map(repr, first), 12)}): "
            f"give --header or --no-header"
        )
    return True
