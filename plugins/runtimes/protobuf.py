"""Reads and writes protobuf messages without their schema: the fields of `onnx.proto` that a check needs."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, DOUBLE, LENGTH, FLOAT = 0, 1, 2, 5
"""Wire types."""

Message = dict[int, list[int | memoryview]]
"""Values by field number: integers, or the bytes of all other types."""


def read_message(data: memoryview) -> Message:
    """Split a protobuf message into its fields; ValueError or IndexError if it is none."""
    message: Message = {}
    for number, value, _, _ in _iterate_fields(data):
        message.setdefault(number, []).append(value)
    return message


def split_fields(data: memoryview) -> list[tuple[int, memoryview]]:
    """Return the number of each field and all its bytes, which joined give the message; raises as above."""
    return [(number, data[start:end]) for number, _, start, end in _iterate_fields(data)]


def encode_field(number: int, value: bytes) -> bytes:
    """Return a field of text, bytes or a message."""
    return _encode_varint(number << 3 | LENGTH) + _encode_varint(len(value)) + value


def _iterate_fields(data: memoryview) -> Iterator[tuple[int, int | memoryview, int, int]]:
    """Yield number and value of each field, and where it begins and ends."""
    position, end = 0, len(data)
    while position < end:
        start = position
        key, position = _read_varint(data, position)
        value: int | memoryview
        if (wire := key & 7) == VARINT:
            value, position = _read_varint(data, position)
        else:
            if wire == LENGTH:
                size, position = _read_varint(data, position)
            else:
                size = {DOUBLE: 8, FLOAT: 4}.get(wire, -1)
            if not 0 <= size <= end - position:
                raise ValueError("no protobuf message")
            value = data[position : position + size]
            position += size
        yield key >> 3, value, start, position


def _encode_varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """Return a number and the position behind it."""
    value = data[position]
    if value < 0x80:  # as nearly all are
        return value, position + 1
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise ValueError("no number")


def read_messages(message: Message, *numbers: int) -> Iterator[Message]:
    for number in numbers:
        for value in message.get(number, ()):
            if isinstance(value, memoryview):
                yield read_message(value)


def read_texts(message: Message, number: int) -> list[str]:
    values = message.get(number, ())
    return [bytes(value).decode(errors="replace") for value in values if isinstance(value, memoryview)]


def read_integers(message: Message, number: int) -> tuple[int, ...]:
    """Return repeated int64, packed or not."""
    numbers: list[int] = []
    for value in message.get(number, ()):
        if isinstance(value, int):
            numbers.append(value)
            continue
        position = 0
        while position < len(value):
            item, position = _read_varint(value, position)
            numbers.append(item)
    return tuple(item - (1 << 64) if item >> 63 else item for item in numbers)
