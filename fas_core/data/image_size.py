"""Image dimensions read from file headers, before a pixel is decoded.

A header may lie: the decoder has a limit of its own (`fas_core.library_settings`). This is the check that
can name the size.

Formats: JPEG (ITU T.81) with its EXIF orientation, PNG, BMP, GIF89a, WebP (RFC 9649), TIFF 6.0 (not BigTIFF),
PNM and PAM (Netpbm), AVIF (ISO/IEC 23000-22), JPEG 2000 (ITU T.800) and Sun raster.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from math import prod
from pathlib import Path

from fas_core.data.avif_size import read_box_sizes, read_coded_size
from fas_core.errors import DataError
from fas_core.library_settings import MAX_PIXELS

Size = tuple[int, int]
"""Width and height in pixels."""

FORMATS = "JPEG, PNG, BMP, WebP, TIFF, GIF, PNM, AVIF or JPEG 2000"

HEADER_BYTES = 1 << 12
"""Enough for most headers; a file with a longer one is read to its end."""

JPEG_START = b"\xff\xd8"
START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
JPEG_MARKER = re.compile(rb"\xff[^\0\x01\xd0-\xd8\xff]")
"""But for those that no length follows: TEM, RST0 to RST7 and SOI."""
START_OF_SCAN, JPEG_END = 0xDA, 0xD9
MAX_SEGMENTS = 4096
"""Of a JPEG: more are not read."""
EXIF_MARKER, EXIF = 0xE1, b"Exif\0\0"
TIFF_WIDTH, TIFF_HEIGHT, TIFF_BITS, TIFF_ORIENTATION = 256, 257, 258, 274
TIFF_TILE_WIDTH, TIFF_TILE_HEIGHT = 322, 323
TIFF_NUMBERS = {3: "H", 4: "I"}
SPACE = rb"(?:\s|#[^\n]*\n)+"  # with comments
NUMBER = rb"(\d{1,10})"
PNM_SIZE = re.compile(rb"P[1-6]" + SPACE + NUMBER + SPACE + NUMBER + rb"\s(?:\s*" + NUMBER + rb"\s)?")
PAM_SIZE = re.compile(rb"P7\s(?:.*\s)?WIDTH " + NUMBER + rb"\s(?:.*\s)?HEIGHT " + NUMBER + rb"\s", re.DOTALL)
PAM_MAXIMUM = re.compile(rb"\sMAXVAL " + NUMBER)


def read_shape(path: Path) -> tuple[int, int]:
    """Return (height, width) of an image file in pixels, upright as a JPEG's EXIF orientation says.

    Raises:
        DataError: the file cannot be read, or its header is damaged or of an unknown format.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(HEADER_BYTES)
            if (size := pixel_size(data)) is None:
                data += stream.read()
                size = pixel_size(data)
    except FileNotFoundError:
        raise DataError(f"{path}: no such image: check the list and the data set's root") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if size is None:
        raise DataError(f"{path}: not a {FORMATS} image, or its header is damaged")
    return turn_upright(size, data)


def turn_upright(size: Size, data: bytes) -> tuple[int, int]:
    """Return (height, width) of an encoded image of a size, upright as a JPEG's EXIF orientation says."""
    return size if _is_rotated(data) else size[::-1]


def pixel_size(data: bytes) -> Size | None:
    """Return the size of an encoded image, before EXIF orientation; None of an unknown or damaged header."""
    with suppress(struct.error):
        return _read_size(data)
    return None


def has_16_bits(data: bytes) -> bool:
    """Whether the header of a PNG, TIFF, PNM or PAM says 16 bits a channel; False of other formats."""
    with suppress(struct.error):
        if data.startswith(b"\x89PNG"):
            return data[24:25] == b"\x10"
        if data.startswith((b"II*\0", b"MM\0*")):
            return _tiff_bits(data) > 8
        if match := PNM_SIZE.match(data):
            return data[1:2] not in (b"1", b"4") and int(match[3] or 0) > 255
        if data.startswith(b"P7"):
            match = PAM_MAXIMUM.search(data[:HEADER_BYTES])
            return match is not None and int(match[1]) > 255
    return False


def _tiff_bits(data: bytes) -> int:
    """Return the bits of a TIFF's first channel; up to two channels are written in the entry itself."""
    value = _tiff_maximum(data, TIFF_BITS) or 1
    order = "<" if data.startswith(b"II") else ">"
    return value if value <= 64 else _number(f"{order}H", data, value)


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start of the content, end) of each segment of a JPEG up to the end of the image.

    Bytes between segments are skipped, as decoders do: encoded pixels, 0xFF that fill up, and those of
    careless writers. At most `MAX_SEGMENTS` are read.
    """
    position = len(JPEG_START)
    for _ in range(MAX_SEGMENTS):
        match = JPEG_MARKER.search(data, position)
        if match is None:
            return
        position = match.end()
        marker = data[position - 1]
        if marker == JPEG_END or position + 2 > len(data):
            return
        start, position = position + 2, position + int.from_bytes(data[position : position + 2], "big")
        yield marker, start, position


def _read_size(data: bytes) -> Size | None:
    if data.startswith(JPEG_START):
        frames = (start for marker, start, _ in jpeg_segments(data) if marker in START_OF_FRAME)
        start = next(frames, None)
        return None if start is None else _pair(">HH", data, start + 1)[::-1]
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        return _pair(">II", data, 16)
    if data.startswith(b"BM"):
        is_os2 = _number("<I", data, 14) == 12  # 16 bits each, unsigned
        width, height = _pair("<HH" if is_os2 else "<ii", data, 18)
        return abs(width), abs(height)  # a negative height means that the top row comes first
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _pair("<HH", data, 6)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _read_webp_size(data)
    if data.startswith((b"II*\0", b"MM\0*")):
        return _read_tiff_size(data)
    return _read_rare_size(data)


def _read_rare_size(data: bytes) -> Size | None:
    """Return the size of a PNM, PAM, AVIF, JPEG 2000 or Sun raster image."""
    if match := PNM_SIZE.match(data) or PAM_SIZE.match(data[:HEADER_BYTES]):
        return int(match[1]), int(match[2])
    if data.startswith(b"\x59\xa6\x6a\x95"):
        return _pair(">II", data, 4)
    if data.startswith(b"\xff\x4f\xff\x51"):  # JPEG 2000 without a container: the reference grid
        right, bottom = _pair(">II", data, 8)
        left, top = _pair(">II", data, 16)
        return right - left, bottom - top
    if data[4:8] == b"jP  " and (position := data.find(b"ihdr")) > 0:
        return _pair(">II", data, position + 4)[::-1]
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return _read_avif_size(data)
    return None


def _read_tiff_size(data: bytes) -> Size | None:
    """Return the size of the image, or that of its tiles if it is beyond the limit of pixels."""
    columns, rows = (_tiff_maximum(data, tag) for tag in (TIFF_WIDTH, TIFF_HEIGHT))
    tile = (_tiff_maximum(data, TIFF_TILE_WIDTH) or 0, _tiff_maximum(data, TIFF_TILE_HEIGHT) or 0)
    if prod(tile) > MAX_PIXELS:
        return tile
    return None if columns is None or rows is None else (columns, rows)


def _read_avif_size(data: bytes) -> Size | None:
    """Return the size in the boxes, or that of the coded frames if it is beyond the limit of pixels."""
    coded = read_coded_size(data)
    return coded if prod(coded) > MAX_PIXELS else max(read_box_sizes(data), default=None)


def _read_webp_size(data: bytes) -> Size | None:
    form = data[12:16]
    if form == b"VP8 ":
        width, height = _pair("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if form == b"VP8L":
        bits = _number("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8X":
        low, high = _pair("<IH", data, 24)  # two numbers of 24 bits each
        return (low & 0xFFFFFF) + 1, (low >> 24 | high << 8) + 1
    return None


def _tiff_entries(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (tag, value) of the integers in a TIFF block's first directory."""
    order = "<" if data.startswith(b"II") else ">"
    directory = _number(f"{order}I", data, 4)
    for entry in range(_number(f"{order}H", data, directory)):
        position = directory + 2 + 12 * entry
        tag, kind = _pair(f"{order}HH", data, position)
        if kind in TIFF_NUMBERS:
            yield tag, _number(order + TIFF_NUMBERS[kind], data, position + 8)


def _tiff_maximum(data: bytes, wanted: int) -> int | None:
    """Return the greatest value of a tag, which a file that lies gives twice; None if it has none."""
    return max((value for tag, value in _tiff_entries(data) if tag == wanted), default=None)


def _is_rotated(data: bytes) -> bool:
    """Whether a JPEG's EXIF orientation, 5 to 8, exchanges height and width."""
    for marker, start, end in jpeg_segments(data) if data.startswith(JPEG_START) else ():
        if marker in START_OF_FRAME:
            break
        if marker == EXIF_MARKER and data.startswith(EXIF, start):
            with suppress(struct.error):
                entries = _tiff_entries(data[start + len(EXIF) : end])
                return any(tag == TIFF_ORIENTATION and 5 <= value <= 8 for tag, value in entries)
            break
    return False


def _number(form: str, data: bytes, position: int) -> int:
    return int(struct.unpack_from(form, data, position)[0])


def _pair(form: str, data: bytes, position: int) -> tuple[int, int]:
    first, second = struct.unpack_from(form, data, position)
    return first, second
