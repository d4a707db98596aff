"""Sizes of the coded frames of an AVIF, which its boxes may belittle.

Frames are read where the decoder reads them: at the offsets of the items (`iloc`) or of the tracks (`stco`,
`co64`). Sources: ISO/IEC 14496-12 (boxes), ISO/IEC 23000-22 (AVIF), AV1 specification, 5.3 and 5.5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from math import prod

from fas_core.library_settings import MAX_PIXELS

Size = tuple[int, int]
Box = tuple[bytes, int, int]
"""Type, start of the content, end."""

CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"meta", b"iprp", b"ipco")
MAX_BOXES, MAX_DEPTH, MAX_ITEMS = 10_000, 8, 4096
CHUNK_OFFSETS = {b"stco": ">I", b"co64": ">Q"}
SEQUENCE_HEADER = 1
MAX_UNITS = 16
"""Of a frame's data that are read before its sequence header, which comes first."""


def read_box_sizes(data: bytes) -> list[Size]:
    """Return the sizes that the boxes give: of the image, its tiles and its thumbnail."""
    boxes = _list_boxes(data)
    return [struct.unpack_from(">II", data, start + 4) for kind, start, _ in boxes if kind == b"ispe"]


def read_coded_size(data: bytes) -> Size:
    """Return the size of the largest frame; (0, 0) where no sequence header is.

    Raises:
        struct.error: the file, or the part of it that is given, does not reach there.
    """
    sizes = [size for position in _list_offsets(data) if (size := _read_frame_size(data, position))]
    return max(sizes, key=prod, default=(0, 0))


def _list_boxes(data: bytes) -> list[Box]:
    """Return the boxes of a file, with those in containers."""
    boxes = list(islice(_walk(data, 0, len(data), 0), MAX_BOXES + 1))
    if len(boxes) > MAX_BOXES:
        raise struct.error(f"more than {MAX_BOXES} boxes")
    return boxes


def _walk(data: bytes, start: int, end: int, depth: int) -> Iterator[Box]:
    if depth > MAX_DEPTH:
        raise struct.error(f"boxes nested more than {MAX_DEPTH} times")
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        content = start + 8
        if size == 1:  # a longer number follows
            (size,) = struct.unpack_from(">Q", data, content)
            content += 8
        stop = end if size == 0 else start + size
        if stop < content:
            raise struct.error("a box that is smaller than its header")
        yield kind, content, min(stop, end)
        if kind in CONTAINERS:
            yield from _walk(data, content + 4 * (kind == b"meta"), min(stop, end), depth + 1)
        start = stop


def _list_offsets(data: bytes) -> Iterator[int]:
    """Yield where the data of each item, and of each track, begin."""
    boxes = _list_boxes(data)
    embedded = next((start for kind, start, _ in boxes if kind == b"idat"), 0)
    for kind, start, _ in boxes:
        if kind == b"iloc":
            yield from _list_item_offsets(data, start, embedded)
        elif kind in CHUNK_OFFSETS and struct.unpack_from(">I", data, start + 4)[0]:
            yield struct.unpack_from(CHUNK_OFFSETS[kind], data, start + 8)[0]


def _list_item_offsets(data: bytes, position: int, embedded: int) -> Iterator[int]:
    """Yield the offset of the first extent of each item in an `iloc` box."""

    def read(size: int) -> int:
        nonlocal position
        if position + size > len(data):
            raise struct.error("a box that ends early")
        position += size
        return int.from_bytes(data[position - size : position], "big")

    version, widths = read(4) >> 24, read(2)
    offset_size, length_size, base_size = widths >> 12, widths >> 8 & 15, widths >> 4 & 15
    index_size = widths & 15 if version else 0
    items = read(4 if version == 2 else 2)
    if items > MAX_ITEMS:
        raise struct.error(f"more than {MAX_ITEMS} items")
    for _ in range(items):
        read(4 if version == 2 else 2)  # number of the item
        is_embedded = version > 0 and read(2) & 15 == 1
        read(2)  # the file: this one
        base = read(base_size) + (embedded if is_embedded else 0)
        extents = read(2)
        position += index_size
        if extents:
            yield base + int.from_bytes(data[position : position + offset_size], "big")
        position += extents * (index_size + offset_size + length_size) - index_size


def _read_frame_size(data: bytes, position: int) -> Size | None:
    """Return the size in the sequence header of the frame that begins here; None if there is none."""
    for _ in range(MAX_UNITS):
        if position >= len(data):
            raise struct.error("a frame that begins behind the end of the file")
        (header,) = struct.unpack_from(">B", data, position)
        position += 1 + (header >> 2 & 1)  # with an extension
        length, shift = 0, 0
        while header & 2:
            (byte,) = struct.unpack_from(">B", data, position)
            position, length, shift = position + 1, length | (byte & 127) << shift, shift + 7
            if byte < 128 or shift > 56:
                break
        if header >> 3 & 15 == SEQUENCE_HEADER:
            return _read_sequence_size(data[position : position + 128])
        if header & 128 or not header & 2:  # no AV1, such as a grid, EXIF or XMP
            return None
        position += length
    return None


def _read_sequence_size(header: bytes) -> Size | None:
    """Return the frames' greatest size in the header of an AV1 sequence; None of an unknown profile."""
    bits = int.from_bytes(header, "big") << 1  # so that slices of zero bits exist
    position = 8 * len(header) + 1

    def read(count: int) -> int:
        nonlocal position
        position -= count
        return bits >> position & ((1 << count) - 1) if position > 0 else 0

    if read(3) > 2:
        return None
    read(1)  # a still picture
    if read(1):  # reduced header: the level
        read(5)
    elif read(1):  # timing information, which images have not
        return MAX_PIXELS + 1, 1
    else:
        has_delay = read(1)
        for _ in range(read(5) + 1):  # operating points: layers, level, tier, delay
            read(12)
            read(1 if read(5) > 7 else 0)
            read(4 if has_delay and read(1) else 0)
    width_bits, height_bits = read(4) + 1, read(4) + 1
    return read(width_bits) + 1, read(height_bits) + 1
