"""How large an encoded image says it is, read from its header: known before a byte of it is decoded.

Formats: JPEG (ITU T.81), PNG, BMP, GIF89a, WebP (RFC 9649), TIFF 6.0 (not BigTIFF).
"""

from __future__ import annotations

import struct

Size = tuple[int, int]
"""Width and height in pixels."""

FORMATS = "JPEG, PNG, BMP, WebP, TIFF or GIF"

START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
TIFF_WIDTH, TIFF_HEIGHT = 256, 257
TIFF_NUMBERS = {3: "H", 4: "I"}


def pixel_size(data: bytes) -> Size | None:
    """Width and height of the image, of an animation's canvas, or of a file's first page.

    None where the data is of no format that we know, or its header is damaged.
    """
    try:
        return _size(data)
    except (struct.error, IndexError):
        return None


def _size(data: bytes) -> Size | None:
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        return _pair(">II", data, 16)
    if data.startswith(b"BM"):
        core = _number("<I", data, 14) == 12  # of OS/2: 16 bits each, unsigned
        width, height = _pair("<HH" if core else "<ii", data, 18)
        return abs(width), abs(height)  # a negative height means that the top row comes first
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _pair("<HH", data, 6)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith((b"II*\0", b"MM\0*")):
        return _tiff(data, "<" if data.startswith(b"II") else ">")
    return None


def _jpeg(data: bytes) -> Size | None:
    place = 2
    while data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # markers may be padded with these
            place += 1
        elif marker in START_OF_FRAME:
            height, width = _pair(">HH", data, place + 5)
            return width, height
        else:
            place += 2 + _number(">H", data, place + 2)
    return None


def _webp(data: bytes) -> Size | None:
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = _pair("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = _number("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        low, high = _pair("<IH", data, 24)  # two numbers of 24 bits each
        return (low & 0xFFFFFF) + 1, (low >> 24 | high << 8) + 1
    return None


def _tiff(data: bytes, order: str) -> Size | None:
    first = _number(f"{order}I", data, 4)
    found = {}
    for entry in range(_number(f"{order}H", data, first)):
        place = first + 2 + 12 * entry
        tag, kind = _pair(f"{order}HH", data, place)
        if tag in (TIFF_WIDTH, TIFF_HEIGHT) and kind in TIFF_NUMBERS:
            found[tag] = _number(order + TIFF_NUMBERS[kind], data, place + 8)
    return (found[TIFF_WIDTH], found[TIFF_HEIGHT]) if len(found) == 2 else None


def _number(form: str, data: bytes, place: int) -> int:
    return int(struct.unpack_from(form, data, place)[0])


def _pair(form: str, data: bytes, place: int) -> tuple[int, int]:
    first, second = struct.unpack_from(form, data, place)
    return first, second
