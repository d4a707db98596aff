"""The columns of a file before they are interpreted.

Parquet and JSON-lines keep their types; delimited text gives columns of strings.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
import pyarrow.parquet
from attrs import frozen

from fas_core.errors import DataError, format_list
from fas_core.scores.files.delimited import read_delimited

PARQUET = b"PAR1"
ZIP = b"PK\x03\x04"
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
UNPRINTABLE = r"[\x00-\x08\x0a-\x1f\x7f-\x{9f}\x{2028}\x{2029}]"


@frozen(eq=False)
class RawTable:
    """The table of a file, at least one row, and its format, e.g. `CSV (;)`.

    Where the file does not name its columns (`named`), their names are numbers from 1.
    """

    path: Path
    form: str
    table: pa.Table
    named: bool = True

    @property
    def names(self) -> list[str]:
        return list(self.table.column_names)

    @property
    def summary(self) -> str:
        """Names of all columns, or how many there are, for messages."""
        return ", ".join(self.names) if self.named else f"no header, {len(self.names)} columns"

    def column_label(self, index: int) -> str:
        """A column's name for messages."""
        return repr(self.names[index]) if self.named else f"column {self.names[index]}"

    def has_values(self, index: int) -> bool:
        """Whether any cell of a column is not null."""
        return bool(self.table.column(index).null_count < len(self))

    def read_text(self, index: int, role: str) -> pa.Array:
        """Return a column as stripped strings of one line; raise DataError where it holds other values."""
        column = self.table.column(index).combine_chunks()
        try:
            if pa.types.is_nested(column.type):
                raise pa.ArrowInvalid(f"it holds {column.type}")
            text = pc.utf8_trim_whitespace(column.cast(pa.string()))
            if broken := pc.sum(pc.match_substring_regex(text, UNPRINTABLE)).as_py():
                raise pa.ArrowInvalid(f"{broken} values have line breaks or control characters")
        except pa.ArrowException as error:
            reason = " ".join(str(error).split())
            where = f"{self.path}: column {self.column_label(index)}"
            raise DataError(f"{where} cannot be the {role}: {reason}") from error
        return text

    def __len__(self) -> int:
        return int(self.table.num_rows)


def read_raw_table(path: Path, *, delimiter: str | None = None, header: bool | None = None) -> RawTable:
    """Read Parquet, JSON-lines or delimited text, recognised by the file's content.

    `delimiter` and `header` (whether there is one) are those of text; None to find out. Raises DataError
    where the file is missing, has none of these formats, is damaged, has no rows or gives a column twice.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = "no such score file" if isinstance(error, FileNotFoundError) else error.strerror
        if path.is_dir():
            reason = "a folder, not a score file (fas eval evaluates a run)"
        raise DataError(f"{path}: {reason}") from None
    try:
        raw = _parse(path, data, delimiter, header)
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


def _parse(path: Path, data: bytes, delimiter: str | None, header: bool | None) -> RawTable:
    if data.startswith(PARQUET) or path.suffix.lower() == ".parquet":
        # `ScoreTable.write` gives pages a checksum: a flipped bit is an error and not another score.
        table = pa.parquet.read_table(io.BytesIO(data), page_checksum_verification=True)
        return RawTable(path, "Parquet", table)
    text = _decode(path, data)
    if text[:1000].lstrip().startswith("{") or path.suffix.lower() in JSON_SUFFIXES:
        return RawTable(path, "JSON-lines", _read_json(path, text))
    form, table, named = read_delimited(path, text, delimiter, header)
    return RawTable(path, form, table, named)


def _decode(path: Path, data: bytes) -> str:
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


def _read_json(path: Path, text: str) -> pa.Table:
    if text[:1000].lstrip().startswith("["):
        raise DataError(f"{path}: a JSON array; write one object a line (JSON-lines)")
    table = _read_json_columns(text, [])
    # Ids that look like dates must stay text.
    dates = [field.name for field in table.schema if pa.types.is_temporal(field.type)]
    return _read_json_columns(text, dates) if dates else table


def _read_json_columns(text: str, as_text: list[str]) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in as_text])
    return pa.json.read_json(
        io.BytesIO(text.encode()),
        read_options=pa.json.ReadOptions(use_threads=False),
        parse_options=pa.json.ParseOptions(explicit_schema=schema),
    )
