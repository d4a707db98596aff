"""What decoders find wrong with image files: damage that they warn of, and formats that they do not read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from fas_core.contracts import DatasetReader
from fas_core.data.images import read_image
from fas_core.data.listing import ListsFolder
from fas_core.errors import DataError
from fas_core.urls import Location

DAMAGE = re.compile(r"Corrupt JPEG data|Premature end of JPEG file")
DECODER = re.compile(rf"{DAMAGE.pattern}|libpng (error|warning): ")
"""Messages of decoders; those of libpng are of files that it refuses, or of harmless colour profiles."""
PADDING = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0x([0-9a-f]{2})")
MAX_PADDING = 64
"""Cameras write a few bytes too many between the segments of a JPEG, which do no harm."""
PIXEL_MARKERS = range(0xD0, 0xDA)
"""Restart markers, and that of the image's end: before them lie the pixels."""


@contextmanager
def capture_damage() -> Iterator[list[str]]:
    """Collect the decoders' warnings of damaged pixels, which they print, in a list that is full at the end.

    What else the process prints on stderr meanwhile is printed at the end.
    """
    messages: list[str] = []
    with TemporaryFile() as file:
        stderr = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield messages
        finally:
            os.dup2(stderr, 2)
            file.seek(0)
            for line in file.read().splitlines(keepends=True):
                text = line.decode(errors="replace").strip()
                if DAMAGE.match(text) and not _is_padding(text):
                    messages.append(text)
                elif not DECODER.match(text):
                    os.write(stderr, line)
            os.close(stderr)


def _is_padding(message: str) -> bool:
    match = PADDING.match(message)
    if match is None:
        return False
    return int(match[1]) <= MAX_PADDING or int(match[2], 16) not in PIXEL_MARKERS


def describe_damage(path: Location) -> str:
    """Return what the decoder warns of in an image file that it decodes; empty for a sound one."""
    with capture_damage() as messages:
        read_image(path)
    return f"{path}: the image is damaged: {messages[0]}" if messages else ""


def explain_undecodable(reader: DatasetReader, root: Location) -> dict[str, str]:
    """Return `{path: why it cannot be read}` of the images below a data set's root that are no samples."""
    reasons: dict[str, str] = {}
    for path in reader.listing.undecodable if isinstance(reader, ListsFolder) else ():
        try:
            read_image(root / path)
        except DataError as error:
            reasons[path] = error.message
    return reasons
