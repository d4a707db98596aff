"""Sizes by headers, against what OpenCV decodes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fas_core import DataError
from fas_core.data.image_dimensions import dimensions
from fas_core.data.images import read_image


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
def test_upright_images(tmp_path: Path, name: str) -> None:
    assert dimensions(write(tmp_path / name)) == (30, 50)


def test_a_progressive_image(tmp_path: Path) -> None:
    assert dimensions(write(tmp_path / "a.jpg", b"", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)) == (30, 50)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_as_opencv_does(tmp_path: Path, orientation: int, order: str) -> None:
    path = write(tmp_path / "a.jpg", exif(orientation, order))
    assert dimensions(path) == read_image(path).shape[:2]


def test_padded_markers(tmp_path: Path) -> None:
    assert dimensions(write(tmp_path / "a.jpg", b"\xff\xff" + exif(6, "big"))) == (50, 30)


def test_a_header_behind_much_else(tmp_path: Path) -> None:
    comment = b"\xff\xfe\xff\xff" + bytes(0xFFFD)
    assert dimensions(write(tmp_path / "a.jpg", comment + comment)) == (30, 50)


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\xff\xd8", b"\xff\xd8\xff\xe1\xff", b"\x89PNG\r\n\x1a\n"]
)
def test_other_files_are_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError, match="image, or its header is damaged"):
        dimensions(tmp_path / "a.jpg")
    with pytest.raises(DataError, match="no such image"):
        dimensions(tmp_path / "b.jpg")
    with pytest.raises(DataError, match="cannot be read"):
        dimensions(tmp_path)
