"""Sizes of a Parquet file's pages, as their headers declare them: Arrow reserves these before it unpacks.

The footer repeats their sum, and can lie. A header is a struct in Thrift's compact protocol, the fields 2 and
3 of which are the sizes of the page (github.com/apache/parquet-format, `PageHeader`).
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define

MAX_PAGES = 200_000
BOOLEANS, NUMBERS = (1, 2), (4, 5, 6)
BYTE, DOUBLE, BINARY, STRUCT = 3, 7, 8, 12
UNCOMPRESSED, COMPRESSED = 2, 3


def read_page_sizes(data: bytes, start: int, size: int) -> Iterator[int]:
    """Yield the unpacked size in bytes of each page of a column, which has `size` bytes from `start`.

    Raises:
        ValueError: a header is damaged.
    """
    if start < 0:
        raise ValueError("a column that starts before the file")
    reader = _Reader(data, start)
    while reader.position < min(start + size, len(data)):
        sizes = reader.read_sizes()
        if min(sizes) < 0:
            raise ValueError("a page of negative size")
        yield sizes[0]
        reader.position += sizes[1]


@define
class _Reader:
    """Reads the compact protocol from a position on."""

    data: bytes
    position: int

    def read_sizes(self) -> tuple[int, int]:
        """Read a page's header; return its size, unpacked and as it is in the file."""
        sizes = {}
        for number, kind in self._read_fields():
            if kind in NUMBERS and number in (UNCOMPRESSED, COMPRESSED):
                value = self._read_number()
                sizes[number] = value >> 1 ^ -(value & 1)  # zigzag: the sign is the last bit
            else:
                self._skip(kind, 0)
        if len(sizes) < 2:
            raise ValueError("a page without its size")
        return sizes[UNCOMPRESSED], sizes[COMPRESSED]

    def _read_fields(self) -> Iterator[tuple[int, int]]:
        """Yield the number and type of each field, whose value the caller reads."""
        number = 0
        while byte := self._read_byte():
            number = number + (byte >> 4) if byte >> 4 else self._read_number() >> 1
            yield number, byte & 15

    def _read_byte(self) -> int:
        if self.position >= len(self.data):
            raise ValueError("a page's header ends early")
        self.position += 1
        return self.data[self.position - 1]

    def _read_number(self) -> int:
        """Read a number of at most ten bytes, seven bits in each."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self._read_byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number of more than ten bytes in a page's header")

    def _skip(self, kind: int, depth: int) -> None:
        if depth > 8:
            raise ValueError("a page's header is nested too deep")
        if kind in NUMBERS:
            self._read_number()
        elif kind == BYTE:
            self._read_byte()
        elif kind == DOUBLE:
            self.position += 8
        elif kind == BINARY:
            length = self._read_number()
            self.position += length
        elif kind == STRUCT:
            for _, field in self._read_fields():
                self._skip(field, depth + 1)
        elif kind not in BOOLEANS:  # no page has lists or maps in its header
            raise ValueError("a page's header has an unknown field")
