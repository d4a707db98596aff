"""Files that cost a decoder far more than their pixels: refused before they are decoded.

The pixel limit bounds what one image holds; these files make a decoder go over it again and again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from fas_core.data.image_size import JPEG_START, MAX_SEGMENTS, START_OF_SCAN, jpeg_segments, pixel_size

PNG_START = b"\x89PNG\r\n\x1a\n"

MAX_SCANS = 32
"""Of a JPEG. libjpeg writes 10 scans for colours and 18 for CMYK, mozjpeg's search fewer than 20."""

MAX_COMPRESSED_CHUNKS = 32
"""Of texts and colour profiles in a PNG; the decoder unpacks each to 8 MB at most, and ignores it."""

MAX_BYTES_PER_PIXEL = 8
SLACK = 1 << 16
"""Compressed bytes beyond those of the pixels that a PNG may hold: row filters and headers of chunks."""


def find_excess(data: bytes) -> str:
    """Return what of a JPEG or PNG costs more than pixels can; empty if nothing does."""
    if data.startswith(JPEG_START):
        return _find_scans(data)
    return _find_chunks(data) if data.startswith(PNG_START) else ""


def _find_scans(data: bytes) -> str:
    markers = [marker for marker, _, _ in jpeg_segments(data)]
    if markers.count(START_OF_SCAN) > MAX_SCANS:
        return f"more than {MAX_SCANS} scans"
    return f"{MAX_SEGMENTS} segments or more" if len(markers) == MAX_SEGMENTS else ""


def _find_chunks(data: bytes) -> str:
    width, height = pixel_size(data) or (0, 0)
    remaining = width * height * MAX_BYTES_PER_PIXEL + height + SLACK
    compressed = 0
    for kind, start, end in _png_chunks(data):
        if kind == b"IDAT":
            remaining -= end - start
        elif kind in (b"zTXt", b"iCCP") or (kind == b"iTXt" and _is_compressed(data[start:end])):
            compressed += 1
    if remaining < 0:
        return "more data than its pixels have"
    if compressed > MAX_COMPRESSED_CHUNKS:
        return f"more than {MAX_COMPRESSED_CHUNKS} compressed texts"
    return ""


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of the content, end) of each chunk of a PNG."""
    position = len(PNG_START)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        yield kind, position + 8, min(position + 8 + length, len(data))
        position += 12 + length


def _is_compressed(text: bytes) -> bool:
    """Whether the content of an iTXt chunk, a keyword and a flag, says that its text is compressed."""
    return text.partition(b"\0")[2][:1] == b"\1"
