"""Image dimensions read from headers, against what OpenCV decodes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fas_core import DataError
from fas_core.data.image_size import pixel_size, read_shape
from fas_core.data.images import read_image

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


def exif(orientation: int, order: str) -> bytes:
    """An APP1 segment: a TIFF block with the image's width and its orientation."""
    mark, name = (b"II", "little") if order == "little" else (b"MM", "big")

    def number(value: int, size: int) -> bytes:
        return value.to_bytes(size, "little" if name == "little" else "big")

    entries = [(0x0100, 4, number(9, 4)), (0x0112, 3, number(orientation, 2) + b"\0\0")]
    tiff = mark + number(42, 2) + number(8, 4) + number(len(entries), 2)
    tiff += b"".join(number(tag, 2) + number(kind, 2) + number(1, 4) + value for tag, kind, value in entries)
    block = b"Exif\0\0" + tiff + number(0, 4)
    return b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block


def write(path: Path, segment: bytes = b"", *flags: int) -> Path:
    image = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
    content = cv2.imencode(path.suffix, image, list(flags))[1].tobytes()
    path.write_bytes(content[:2] + segment + content[2:])
    return path


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_shape_of_upright_images(tmp_path: Path, name: str) -> None:
    assert read_shape(write(tmp_path / name)) == (30, 50)


def test_shape_of_a_progressive_image(tmp_path: Path) -> None:
    assert read_shape(write(tmp_path / "a.jpg", b"", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)) == (30, 50)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_as_opencv_does(tmp_path: Path, orientation: int, order: str) -> None:
    path = write(tmp_path / "a.jpg", exif(orientation, order))
    assert read_shape(path) == read_image(path).shape[:2]


def test_shape_behind_padded_markers(tmp_path: Path) -> None:
    assert read_shape(write(tmp_path / "a.jpg", b"\xff\xff" + exif(6, "big"))) == (50, 30)


def test_shape_behind_long_segments(tmp_path: Path) -> None:
    comment = b"\xff\xfe\xff\xff" + bytes(0xFFFD)
    assert read_shape(write(tmp_path / "a.jpg", comment + comment)) == (30, 50)


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\xff\xd8", b"\xff\xd8\xff\xe1\xff", b"\x89PNG\r\n\x1a\n"]
)
def test_shape_of_other_files_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError, match="image, or its header is damaged"):
        read_shape(tmp_path / "a.jpg")
    with pytest.raises(DataError, match="no such image"):
        read_shape(tmp_path / "b.jpg")
    with pytest.raises(DataError, match="cannot be read"):
        read_shape(tmp_path)


@pytest.mark.parametrize("suffix", [".ppm", ".pnm", ".pam", ".avif", ".jp2", ".ras", ".dib"])
def test_rarer_formats(suffix: str) -> None:
    image = np.random.default_rng(1).integers(0, 256, (HEIGHT * 4, WIDTH * 4, 3), np.uint8)
    done, data = cv2.imencode(suffix, image)
    assert done
    assert pixel_size(bytes(data)) == (WIDTH * 4, HEIGHT * 4)


def test_a_pnm_header_may_have_comments() -> None:
    assert pixel_size(b"P5\n# by a camera\n640 # wide\n480\n255\n") == (640, 480)
    assert pixel_size(b"P5 is a class") is None
