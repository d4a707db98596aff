"""Damage of image files that decoders do not refuse: they fill what is missing with grey or noise."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core.data.image_size import JPEG_START, START_OF_SCAN, jpeg_segments

END_OF_IMAGE, HUFFMAN_TABLES = b"\xff\xd9", 0xC4
SEQUENTIAL_FRAMES = (0xC0, 0xC1)
END_OF_BLOCK = 0

ZEROS = bytes(512)
"""So many zeros in the pixels of a JPEG are a lost sector of a disk or an interrupted copy."""


def is_truncated(data: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end marker."""
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data
    return data.startswith(JPEG_START) and data.find(END_OF_IMAGE, _pixel_position(data)) < 0


def is_zeroed(data: bytes) -> bool:
    """Whether zeros replace a part of the pixels of a JPEG.

    Optimised Huffman tables (ITU T.81, C.2) may encode an even area by zeros alone; then zeros are pixels.
    Only sequential files with one scan of all components are examined; of others the result is False.
    """
    if not data.startswith(JPEG_START) or data.find(ZEROS, _pixel_position(data)) < 0:
        return False
    contents = {marker: data[start:end] for marker, start, end in _header_segments(data)}
    frame = next((contents[marker] for marker in SEQUENTIAL_FRAMES if marker in contents), b"")
    if len(frame) < 6 or contents.get(START_OF_SCAN, b"")[:1] != frame[5:6]:  # numbers of components
        return False
    return any(symbol != END_OF_BLOCK for symbol in _shortest_codes(data))


def _header_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the segments of a JPEG up to the start of its first scan."""
    for segment in jpeg_segments(data):
        yield segment
        if segment[0] == START_OF_SCAN:
            return


def _pixel_position(data: bytes) -> int:
    """Return where the pixels begin: after the header segments, which may hold a whole thumbnail."""
    return max((end for _, _, end in _header_segments(data)), default=len(JPEG_START))


def _shortest_codes(data: bytes) -> Iterator[int]:
    """Yield the symbol that zeros encode in each Huffman table: its first, with the shortest code."""
    for marker, position, end in _header_segments(data):
        while marker == HUFFMAN_TABLES and position + 17 < min(end, len(data)):
            count = sum(data[position + 1 : position + 17])  # of the codes of 1 to 16 bits
            yield data[position + 17]
            position += 17 + count
