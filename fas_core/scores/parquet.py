"""Read Parquet of any origin within limits: a file of kilobytes can declare, or repeat, gigabytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from fas_core.errors import DataError, format_list
from fas_core.scores.parquet_sizes import MAX_PAGES, ColumnSizes, read_page_sizes, read_row_groups
from fas_core.text_files import read_bytes, refuse_many_columns

MAX_RATIO = 100
"""How much larger than its file a table may be, where it is larger than `ALWAYS_READ` bytes."""
ALWAYS_READ = 1 << 28
MAX_UNPACKED = 1 << 32
VALUE_SIZE = 8
"""Bytes that a number takes at most."""


def read_parquet(path: Path) -> pa.Table:
    """Read a table whose page checksums, where it has them, are right.

    Raises:
        DataError: the file cannot be read, is damaged, has too many columns, or holds a table that is more
            than `MAX_RATIO` times as large as the file.
    """
    data = read_bytes(path)
    limit = min(max(ALWAYS_READ, MAX_RATIO * len(data)), MAX_UNPACKED)
    try:
        texts = _check_declared(path, data, limit)
        # A text that all rows share is in the file once: it is repeated only after it was counted.
        table = pa.parquet.read_table(
            io.BytesIO(data), page_checksum_verification=True, read_dictionary=texts
        )
        table.validate(full=True)  # texts that are not UTF-8, indices beyond a dictionary
        _refuse_large(path, sum(map(_count_bytes, table.columns)), limit)
        return table.cast(pa.schema([_to_plain(field) for field in table.schema]))
    except (OSError, pa.ArrowException, ValueError) as error:
        raise DataError(f"{path}: cannot be read as a table: {' '.join(str(error).split())}") from error


def _check_declared(path: Path, data: bytes, limit: int) -> list[str]:
    """Check the sizes that a file declares; return the columns of texts."""
    schema = pa.parquet.ParquetFile(io.BytesIO(data)).schema
    fields = [schema.column(index) for index in range(len(schema.names))]
    refuse_many_columns(len(fields), str(path))
    texts = {field.path for field in fields if field.physical_type == "BYTE_ARRAY"}
    if nested := sorted(name for name in texts if "." in name):
        raise DataError(f"{path}: columns of lists of texts are not read: {format_list(nested)}")
    groups = read_row_groups(data)
    size = 0
    for columns in groups:
        for field, column in zip(fields, columns, strict=True):
            size += max(column.unpacked, max(VALUE_SIZE, field.length) * column.values)
    _refuse_large(path, size, limit)
    _check_pages(path, data, [column for columns in groups for column in columns], limit)
    return sorted(texts)


def _check_pages(path: Path, data: bytes, columns: Sequence[ColumnSizes], limit: int) -> None:
    """Check the sizes in the pages' headers, which the footer may belittle."""
    count = unpacked = 0
    for column in columns:
        for page in read_page_sizes(data, column.start, column.size):
            count, unpacked = count + 1, unpacked + page
            _refuse_large(path, unpacked, limit)
            if count > MAX_PAGES:
                raise DataError(f"{path}: more than {MAX_PAGES:,} pages")


def _refuse_large(path: Path, size: int, limit: int) -> None:
    if size > limit:
        raise DataError(f"{path}: unpacks to {size >> 20:,} MiB: at most {limit >> 20:,} MiB are read")


def _count_bytes(column: pa.ChunkedArray) -> int:
    """Return the size of a column; of a dictionary, that of the values it stands for."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = (pc.binary_length(chunk.dictionary).take(chunk.indices) for chunk in column.chunks)
    return sum(pc.sum(length).as_py() or 0 for length in lengths)


def _to_plain(field: pa.Field) -> pa.Field:
    kind = field.type
    return field.with_type(kind.value_type) if pa.types.is_dictionary(kind) else field
