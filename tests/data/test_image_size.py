"""Sizes read from headers, against what OpenCV decodes."""

from __future__ import annotations

import struct
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from fas_core.data.image_size import pixel_size

WIDTH, HEIGHT = 52, 34
SUFFIXES = [".jpg", ".png", ".bmp", ".tiff", ".webp", ".gif"]


def encoded(suffix: str, *options: int) -> bytes:
    image = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    done, data = cv2.imencode(suffix, image, options)
    assert done
    return bytes(data)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format(suffix: str) -> None:
    assert pixel_size(encoded(suffix)) == (WIDTH, HEIGHT)


def test_variants() -> None:
    assert pixel_size(encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 80)) == (WIDTH, HEIGHT)
    assert pixel_size(encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)) == (WIDTH, HEIGHT)
    jpeg = encoded(".jpg")
    preview = b"\xff\xff\xff\xe2" + struct.pack(">H", len(jpeg) + 2) + jpeg[:25] + jpeg[25:]
    assert pixel_size(jpeg[:2] + preview + jpeg[2:]) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"BM" + bytes(12) + struct.pack("<Iii", 40, 300, -200), (300, 200)),
        (b"BM" + bytes(12) + struct.pack("<IHH", 12, 300, 200), (300, 200)),
        (
            b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + (69_999).to_bytes(3, "little") + (299).to_bytes(3, "little"),
            (70_000, 300),
        ),
        (
            b"MM\0*" + struct.pack(">IHHHIHHHHIHH", 8, 2, 256, 3, 1, 700, 0, 257, 3, 1, 500, 0),
            (700, 500),
        ),
        (b"MM\0*" + struct.pack(">IHHHII", 8, 1, 256, 4, 1, 70_000), None),
        (b"II+\0" + bytes(40), None),
    ],
    ids=["top row first", "OS/2", "extended", "big end first", "no height", "BigTIFF"],
)
def test_by_the_specification(data: bytes, size: tuple[int, int] | None) -> None:
    assert pixel_size(data) == size


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_of_cut_off_headers_nothing_is_known(suffix: str) -> None:
    data = encoded(suffix)
    found = {pixel_size(data[:length]) for length in range(min(len(data), 1500))}
    assert found <= {None, (WIDTH, HEIGHT)}


@pytest.mark.parametrize("make", [bytes, lambda count: b"\xff\xd8" + b"\xff" * count, lambda _: b"text"])
def test_what_is_no_image(make: Callable[[int], bytes]) -> None:
    assert pixel_size(make(100)) is None
