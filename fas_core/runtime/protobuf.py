"""Reads protobuf messages without their schema: the fields of `onnx.proto` that a check needs."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, DOUBLE, LENGTH, FLOAT = 0, 1, 2, 5
"""Wire types."""

Message = dict[int, list[int | memoryview]]
"""Values by field number: integers, or the bytes of all other types."""


def read_message(data: memoryview) -> Message:
    """Split a protobuf message into its fields; ValueError or IndexError if it is none."""
    message: Message = {}
    position = 0
    while position < len(data):
        key, position = _read_varint(data, position)
        value: int | memoryview
        if (wire := key & 7) == VARINT:
            value, position = _read_varint(data, position)
        else:
            if wire == LENGTH:
                size, position = _read_varint(data, position)
            else:
                size = {DOUBLE: 8, FLOAT: 4}.get(wire, -1)
            if not 0 <= size <= len(data) - position:
                raise ValueError("no protobuf message")
            value = data[position : position + size]
            position += size
        message.setdefault(key >> 3, []).append(value)
    return message


def _read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """Return a number and the position behind it."""
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
