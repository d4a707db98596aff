"""Read structs of Thrift's compact protocol, in which Parquet writes its footer and the headers of its pages.

Source: github.com/apache/thrift, `doc/specs/thrift-compact-protocol.md`.
"""

from __future__ import annotations

from attrs import define

TRUE, FALSE, BYTE, INTEGERS, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, (4, 5, 6), 7, 8, 9, 10, 12
MAX_DEPTH = 16
LONG = 15
"""In the header of a list: its length follows."""

Value = int | bytes | list["Value"] | dict[int, "Value"]
"""A boolean is 0 or 1, a double its bytes, a struct `{field number: value}`."""


def read_struct(data: bytes, start: int) -> tuple[dict[int, Value], int]:
    """Return the fields of the struct that begins at `start`, and the position behind it.

    Raises:
        ValueError: the struct is damaged, has a field twice, or is nested more than `MAX_DEPTH` times.
    """
    if start < 0:
        raise ValueError("a struct that starts before the file")
    reader = _Reader(data, start)
    return reader.read_struct(0), reader.position


@define
class _Reader:
    data: bytes
    position: int

    def read_struct(self, depth: int) -> dict[int, Value]:
        number = 0
        fields: dict[int, Value] = {}
        while header := self._read_byte():
            number = number + (header >> 4) if header >> 4 else self._read_integer()
            if number in fields:  # readers differ in which of the two they take
                raise ValueError(f"a struct with field {number} twice")
            kind = header & 15
            fields[number] = int(kind == TRUE) if kind in (TRUE, FALSE) else self._read_value(kind, depth)
        return fields

    def _read_value(self, kind: int, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise ValueError(f"structs nested more than {MAX_DEPTH} times")
        if kind in INTEGERS:
            return self._read_integer()
        if kind in (TRUE, FALSE, BYTE):
            return self._read_byte()
        if kind == DOUBLE:
            return self._read_bytes(8)
        if kind == BINARY:
            return self._read_bytes(self._read_number())
        if kind in (LIST, SET):
            return self._read_list(depth + 1)
        if kind == STRUCT:
            return self.read_struct(depth + 1)
        raise ValueError(f"a field of unknown type {kind}")

    def _read_list(self, depth: int) -> list[Value]:
        header = self._read_byte()
        length = self._read_number() if header >> 4 == LONG else header >> 4
        if length > len(self.data) - self.position:  # a value takes a byte at least
            raise ValueError(f"a list of {length} values that ends early")
        return [self._read_value(header & 15, depth) for _ in range(length)]

    def _read_byte(self) -> int:
        if self.position >= len(self.data):
            raise ValueError("a struct that ends early")
        self.position += 1
        return self.data[self.position - 1]

    def _read_bytes(self, length: int) -> bytes:
        self.position += length
        if self.position > len(self.data):
            raise ValueError("a struct that ends early")
        return self.data[self.position - length : self.position]

    def _read_integer(self) -> int:
        value = self._read_number()
        return value >> 1 ^ -(value & 1)  # zigzag: the sign is the last bit

    def _read_number(self) -> int:
        """Read a number of at most ten bytes, seven bits in each."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self._read_byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number of more than ten bytes")
