"""Sizes of an AVIF's frames, wherever in the file they are."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from faults.mutation import mutations, run_reader

from fas_core.data.avif_size import MAX_BOXES, read_box_sizes, read_coded_size
from fas_core.data.image_size import pixel_size

IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
FAST = [cv2.IMWRITE_AVIF_SPEED, 10]
SIZE = struct.pack(">II", 64, 48)


def encode(image: np.ndarray = IMAGE) -> bytes:
    return bytes(cv2.imencode(".avif", image, FAST)[1])


def insert(data: bytes, skip: int, content: bytes, moves_start: bool) -> bytes:
    """Insert bytes into the frame's data, `skip` bytes from its start, and adapt the sizes around them.

    With `moves_start` the image begins behind them.
    """
    start, table = data.index(b"mdat") + 4, data.index(b"iloc")
    size = struct.unpack_from(">I", data, start - 8)[0]
    changed = bytearray(data)
    changed[start - 8 : start - 4] = struct.pack(">I", size + len(content))
    old, new = (start, start + len(content)) if moves_start else (size - 8, size - 8 + len(content))
    position = data.index(struct.pack(">I", old), table)
    changed[position : position + 4] = struct.pack(">I", new)
    return bytes(changed[: start + skip] + content + changed[start + skip :])


def test_images_and_animations() -> None:
    for data in (encode(), encode(np.dstack([IMAGE, IMAGE[..., 0]]))):
        assert read_coded_size(data) == (64, 48)
        assert set(read_box_sizes(data)) == {(64, 48)}
    animation = cv2.Animation()
    animation.frames, animation.durations = [np.dstack([IMAGE, IMAGE[..., 0]])] * 2, [100, 100]
    data = bytes(cv2.imencodeanimation(".avif", animation, FAST)[1])
    assert data[8:12] == b"avis"
    assert read_coded_size(data) == (64, 48)


def test_boxes_that_lie() -> None:
    data = encode().replace(b"ispe" + bytes(4) + SIZE, b"ispe" + bytes(4) + struct.pack(">II", 16, 16))
    assert (read_box_sizes(data), read_coded_size(data)) == ([(16, 16)], (64, 48))


def test_headers_that_are_not_at_the_start_of_the_data() -> None:
    small = encode(IMAGE[:16, :16])
    start = small.index(b"mdat") + 4
    decoy, padding = small[start : start + 20], b"\x7a\5abcd\x80"
    for data in (
        insert(encode(), 0, decoy, moves_start=True),
        insert(encode(), 2, padding, moves_start=False),
    ):
        assert read_coded_size(data) == (64, 48)
        assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)


def test_damaged_boxes_are_refused() -> None:
    box = struct.pack(">I4s", 8, b"free")
    items = struct.pack(">I4sIHH", 16, b"iloc", 0, 0, 5000)
    for data in (box * (MAX_BOXES + 1), struct.pack(">I4s", 7, b"free"), items, b"\0\0\0\0moov" * 20):
        with pytest.raises(struct.error):
            read_coded_size(data)
    track = struct.pack(">I4sIIQ", 24, b"co64", 0, 1, 2**64 - 1)  # a frame far behind the end of the file
    with pytest.raises(struct.error):
        read_coded_size(track)


def test_mutations() -> None:
    data = encode()
    assert run_reader(pixel_size, mutations([data, data[:600]], 3000)) == []
