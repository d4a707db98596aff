"""Height and width of an image file without decoding it, so that a box can be scaled to the image."""

from __future__ import annotations

from pathlib import Path

from fas_core.data.image_size import FORMATS, START_OF_FRAME, pixel_size
from fas_core.errors import DataError

HEAD = 1 << 12
"""Bytes that hold most headers; of the other files everything is read."""
ORIENTATION = 0x0112
EXIF = b"Exif\0\0"


def dimensions(path: Path) -> tuple[int, int]:
    """(height, width) in pixels, upright as a JPEG's EXIF says.

    Raises:
        DataError: the file cannot be read, or has no header that we know.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(HEAD)
            if (size := pixel_size(data)) is None:
                data += stream.read()
                size = pixel_size(data)
    except FileNotFoundError:
        raise DataError(f"{path}: no such image: check the list and the data set's root") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if size is None:
        raise DataError(f"{path}: not a {FORMATS} image, or its header is damaged")
    width, height = size
    return (width, height) if _lies_on_its_side(_exif(data)) else (height, width)


def _exif(data: bytes) -> bytes:
    """The TIFF block of a JPEG's EXIF segment; empty where there is none before the image."""
    place = 2 if data.startswith(b"\xff\xd8") else len(data)
    while place + 4 <= len(data) and (marker := data[place + 1]) not in START_OF_FRAME:
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == 0xE1 and data.startswith(EXIF, place + 4):
            return data[place + 4 + len(EXIF) : end]
        place = place + 1 if marker == 0xFF else end  # markers may be padded with 0xFF
    return b""


def _lies_on_its_side(tiff: bytes) -> bool:
    """Whether an orientation of 5 to 8 exchanges height and width."""

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if tiff.startswith(b"II") else "big")

    start = number(4, 4)
    entries = (start + 2 + 12 * entry for entry in range(number(start, 2)))
    return any(number(at, 2) == ORIENTATION and 5 <= number(at + 8, 2) <= 8 for at in entries)
