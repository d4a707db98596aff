"""JPEGs with markers that no length follows, FF01 and FFD0 to FFD8, in strange places: refused, or read as
libjpeg reads them (through OpenCV)."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from fas_core import DataError
from fas_core.data.image_size import pixel_size
from fas_core.data.images import decode

IMAGE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8), (0, 0), 2)
JPEG = bytes(cv2.imencode(".jpg", IMAGE)[1])
START, FRAME, SCAN, END = 2, JPEG.index(b"\xff\xc0"), JPEG.index(b"\xff\xda"), len(JPEG) - 2
FRAME_END = FRAME + 2 + int.from_bytes(JPEG[FRAME + 2 : FRAME + 4], "big")
SMALL = JPEG[FRAME:FRAME_END]
LARGE = SMALL[:5] + struct.pack(">HH", 16_000, 16_000) + SMALL[9:]

TEM, RESTARTS, SOI = b"\xff\x01", (b"\xff\xd0", b"\xff\xd7"), b"\xff\xd8"
PLACES = {"start": START, "frame": FRAME, "scan": SCAN, "pixels": END - 40, "end": END}

named = pytest.mark.parametrize("marker", [TEM, *RESTARTS], ids=bytes.hex)


def with_length(marker: bytes, content: bytes) -> bytes:
    """What a reader that gives every marker a length skips, and libjpeg reads."""
    return marker + struct.pack(">H", len(content) + 2) + content


@named
@pytest.mark.parametrize("place", PLACES)
def test_markers_are_read_as_libjpeg_reads_them(marker: bytes, place: str) -> None:
    data = JPEG[: PLACES[place]] + marker + JPEG[PLACES[place] :]
    pixels = decode(data, Path("a.jpg"))
    np.testing.assert_array_equal(pixels[..., ::-1], cv2.imdecode(np.frombuffer(data, np.uint8), 1))
    if place != "pixels":
        np.testing.assert_array_equal(pixels, decode(JPEG, Path("a.jpg")))


@named
def test_bytes_behind_a_marker_are_no_length(marker: bytes) -> None:
    data = JPEG[:START] + with_length(marker, b"ab") + JPEG[START:]
    np.testing.assert_array_equal(decode(data, Path("a.jpg")), decode(JPEG, Path("a.jpg")))


@pytest.mark.parametrize("marker", [TEM, *RESTARTS, SOI], ids=bytes.hex)
def test_a_frame_that_a_length_would_hide_is_seen(marker: bytes) -> None:
    """libjpeg takes the frame of 16,000 x 16,000 pixels; the small one, behind the pixels, is bait."""
    hidden = with_length(marker, JPEG[START:FRAME] + LARGE + JPEG[FRAME_END:SCAN])
    data = JPEG[:START] + hidden + JPEG[SCAN:END] + SMALL + JPEG[END:]
    assert pixel_size(data) == (16_000, 16_000)
    with pytest.raises(DataError, match=r"^a\.jpg: 16000 x 16000 pixels, more than the 64 million"):
        decode(data, Path("a.jpg"))


@named
def test_a_second_frame_is_refused(marker: bytes) -> None:
    """The first one is behind a length; libjpeg allows one frame."""
    data = JPEG[:START] + with_length(marker, SMALL) + JPEG[START:FRAME] + LARGE + JPEG[FRAME_END:]
    with pytest.raises(DataError, match=r"^a\.jpg: cannot be decoded: "):
        decode(data, Path("a.jpg"))


@pytest.mark.parametrize("place", ["start", "frame", "scan"])
def test_a_second_start_is_refused(place: str) -> None:
    with pytest.raises(DataError, match=r"^a\.jpg: cannot be decoded: "):
        decode(JPEG[: PLACES[place]] + SOI + JPEG[PLACES[place] :], Path("a.jpg"))
