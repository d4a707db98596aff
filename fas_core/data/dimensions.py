"""Height and width of an image by its header, so that a box can be scaled without decoding the image."""

from __future__ import annotations

from pathlib import Path

from fas_core.errors import DataError

HEAD = 1 << 12
NO_FRAME = {0xC4, 0xC8, 0xCC}
"""JPEG markers among 0xC0-0xCF that do not begin a frame header."""
ORIENTATION = 0x0112


def dimensions(path: Path) -> tuple[int, int]:
    """(height, width) in pixels of a JPEG or PNG file, upright as its EXIF says.

    Raises:
        DataError: the file cannot be read, or has no such header.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
            found = _of(head) or _of(head + stream.read())
    except FileNotFoundError:
        raise DataError(f"{path}: no such image: check the list and the data set's root") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if found is None:
        raise DataError(f"{path}: not a JPEG or PNG image, or its header is damaged")
    return found


def _of(data: bytes) -> tuple[int, int] | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        return int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")
    return _of_jpeg(data) if data.startswith(b"\xff\xd8") else None


def _of_jpeg(data: bytes) -> tuple[int, int] | None:
    """Walk the segments: the EXIF, if there is one, comes before the frame header."""
    place, turned = 2, False
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        size = int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == 0xE1 and data[place + 4 : place + 10] == b"Exif\0\0":
            turned = _lies_on_its_side(data[place + 10 : place + 2 + size])
        if 0xC0 <= marker <= 0xCF and marker not in NO_FRAME:
            height, width = (int.from_bytes(data[place + at : place + at + 2], "big") for at in (5, 7))
            return (width, height) if turned else (height, width)
        place += 2 + size
    return None


def _lies_on_its_side(tiff: bytes) -> bool:
    """Whether an EXIF block's orientation (5 to 8) exchanges height and width."""

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if tiff.startswith(b"II") else "big")

    start = number(4, 4)
    entries = (start + 2 + 12 * entry for entry in range(number(start, 2)))
    return any(number(at, 2) == ORIENTATION and 5 <= number(at + 8, 2) <= 8 for at in entries)
