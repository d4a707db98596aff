"""Sizes that a Parquet file declares: Arrow reserves memory by them before it unpacks anything.

The footer is read here and not by `pyarrow.parquet.FileMetaData`, which ends the process where the
description of a column is damaged: its accessors do not catch what Arrow throws. Reading the table does.

Source: github.com/apache/parquet-format, `parquet.thrift`: `FileMetaData`, `PageHeader`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from attrs import frozen

from fas_core.scores.thrift import Value, read_struct

MAGIC = b"PAR1"
MAX_PAGES = 200_000

T = TypeVar("T", int, list[Value], dict[int, Value])


@frozen
class ColumnSizes:
    """What the footer says of one column of a row group.

    Args:
        values: number of values.
        unpacked: size in bytes when unpacked.
        start: position of its first page in the file.
        size: of its pages in the file, in bytes.
    """

    values: int
    unpacked: int
    start: int
    size: int


def read_row_groups(data: bytes) -> list[list[ColumnSizes]]:
    """Return the columns of each row group of a Parquet file.

    Raises:
        ValueError: the footer is damaged.
    """
    length = int.from_bytes(data[-8:-4], "little")
    if data[-4:] != MAGIC or length > len(data) - 8:
        raise ValueError("not a Parquet file, or without its end")
    footer, _ = read_struct(data[-8 - length : -8], 0)
    groups = _get_field(footer, 4, list)
    return [[_read_column(column) for column in _get_field(_as_struct(group), 1, list)] for group in groups]


def read_page_sizes(data: bytes, start: int, size: int) -> Iterator[int]:
    """Yield the unpacked size in bytes of each page of a column, which has `size` bytes from `start`.

    Raises:
        ValueError: a header is damaged.
    """
    position, end = start, min(start + size, len(data))
    while position < end:
        header, position = read_struct(data, position)
        unpacked, compressed = _get_field(header, 2, int), _get_field(header, 3, int)
        if min(unpacked, compressed) < 0:
            raise ValueError("a page of negative size")
        yield unpacked
        position += compressed


def _read_column(column: Value) -> ColumnSizes:
    fields = _get_field(_as_struct(column), 3, dict)
    values, unpacked, size, first = (_get_field(fields, number, int) for number in (5, 6, 7, 9))
    dictionary = _get_field(fields, 11, int) if 11 in fields else 0
    if min(values, unpacked, size) < 0:
        raise ValueError("a column of negative size")
    return ColumnSizes(values, unpacked, min(first, dictionary) if dictionary else first, size)


def _as_struct(value: Value) -> dict[int, Value]:
    if not isinstance(value, dict):
        raise ValueError("a damaged footer")
    return value


def _get_field(fields: dict[int, Value], number: int, kind: type[T]) -> T:
    value = fields.get(number)
    if not isinstance(value, kind):
        raise ValueError(f"a struct without field {number}, or with another type there")
    return value
