"""What stands in a file, before anyone says what it means: columns, named or not.

Parquet and JSON-lines keep their types; text of any delimiter gives columns of strings.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet
from attrs import frozen

from fas_core.errors import DataError, format_list
from fas_core.scores.files.delimited import read_delimited

PARQUET = b"PAR1"
ZIP = b"PK\x03\x04"
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")


@frozen(eq=False)
class Raw:
    """A table as it stands in a file, at least one row.

    Args:
        path: the file.
        form: what it is, e.g. `CSV (;)`.
        table: its columns; those without a name are called by their number, from 1.
        named: whether the file names its columns.
    """

    path: Path
    form: str
    table: pa.Table
    named: bool = True

    @property
    def names(self) -> list[str]:
        return list(self.table.column_names)

    def shown(self, column: int) -> str:
        """How messages call a column."""
        name = self.names[column]
        return repr(name) if self.named else f"column {name}"

    def says(self, column: int) -> bool:
        """Whether anything stands in a column."""
        return bool(self.table.column(column).null_count < len(self))

    @property
    def columns_found(self) -> str:
        return ", ".join(self.names) if self.named else f"no header, {len(self.names)} columns"

    def __len__(self) -> int:
        return int(self.table.num_rows)


def read_raw(path: Path, *, delimiter: str | None = None, header: bool | None = None) -> Raw:
    """Read Parquet, JSON-lines or delimited text, told apart by what is in the file.

    Args:
        path: the file.
        delimiter: of text; None to find out.
        header: whether text has one; None to find out.

    Raises:
        DataError: it is not there, is none of these, is damaged, has no rows or gives a column twice.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        what = "no such score file" if isinstance(error, FileNotFoundError) else error.strerror
        what = "a folder, not a score file (fas eval judges a run)" if path.is_dir() else what
        raise DataError(f"{path}: {what}") from None
    try:
        raw = _parsed(path, data, delimiter, header)
        names = raw.names
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read as a table: {' '.join(str(error).split())}") from error
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{path}: {len(twice)} columns are given twice: {format_list(twice)}")
    if broken := sum(not name.isprintable() for name in names):
        raise DataError(f"{path}: {broken} columns have names that cannot be printed: a damaged file?")
    if not len(raw):
        raise DataError(f"{path}: no rows" + (f" below the header ({', '.join(names)})" if names else ""))
    return raw


def _parsed(path: Path, data: bytes, delimiter: str | None, header: bool | None) -> Raw:
    if data.startswith(PARQUET) or path.suffix.lower() == ".parquet":
        # Pages with a checksum, as ours have, are held to it: a flipped bit is no other score.
        table = pa.parquet.read_table(io.BytesIO(data), page_checksum_verification=True)
        return Raw(path, "Parquet", table)
    text = _text(path, data)
    if text[:1000].lstrip().startswith("{") or path.suffix.lower() in JSON_SUFFIXES:
        return Raw(path, "JSON-lines", _json(path, text))
    form, table, named = read_delimited(path, text, delimiter, header)
    return Raw(path, form, table, named)


def _text(path: Path, data: bytes) -> str:
    """UTF-8, or UTF-16 that begins with a byte order mark, as text with LF line ends and without the mark."""
    if data.startswith(ZIP):
        raise DataError(f"{path}: a workbook or another ZIP archive: save what is in it as CSV")
    form = "UTF-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "UTF-8"
    try:
        text = data.decode("utf-8-sig" if form == "UTF-8" else form)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not text in {form} (byte {error.start} is not), nor Parquet") from None
    if "\0" in text:
        raise DataError(f"{path}: a NUL byte at {text.index(chr(0))}: not a text file, or a damaged one")
    if not text or text.isspace():
        raise DataError(f"{path}: the file is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _json(path: Path, text: str) -> pa.Table:
    if text[:1000].lstrip().startswith("["):
        raise DataError(f"{path}: a JSON array; write one object a line (JSON-lines)")
    table = _json_table(text, [])
    # Ids that look like dates are to stay what was written.
    dates = [field.name for field in table.schema if pa.types.is_temporal(field.type)]
    return _json_table(text, dates) if dates else table


def _json_table(text: str, texts: list[str]) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in texts])
    return pa.json.read_json(
        io.BytesIO(text.encode()),
        read_options=pa.json.ReadOptions(use_threads=False),
        parse_options=pa.json.ParseOptions(explicit_schema=schema),
    )
