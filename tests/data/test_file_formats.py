"""Formats by the first bytes of files that OpenCV and others write."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fas_core.data.file_formats import HEADER_BYTES, FileFormat, FileKind, identify_format


@pytest.mark.parametrize(
    ("suffix", "name"),
    [
        (".jpg", "JPEG"),
        (".png", "PNG"),
        (".gif", "GIF"),
        (".bmp", "BMP"),
        (".webp", "WebP"),
        (".tif", "TIFF"),
        (".ppm", "PNM"),
        (".pam", "PNM"),
        (".avif", "AVIF"),
        (".jp2", "JPEG 2000"),
        (".ras", "Sun raster"),
    ],
)
def test_what_opencv_writes_is_an_image(suffix: str, name: str) -> None:
    data = bytes(cv2.imencode(suffix, np.zeros((64, 64, 3), np.uint8))[1])
    assert identify_format(data[:HEADER_BYTES]) == FileFormat(name, FileKind.IMAGE)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"\0\0\0\x18ftypmif1", "HEIC"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"II+\0\x08\0", "BigTIFF"),
    ],
)
def test_undecodable_images_have_names(header: bytes, name: str) -> None:
    assert identify_format(header) == FileFormat(name, FileKind.UNDECODABLE)


@pytest.mark.parametrize("text", [b"", b"BMW drives", b"P5 is a class", b"GIF", b"PF", b"{}", b"PK\x03\x04"])
def test_texts_and_archives_are_no_images(text: bytes) -> None:
    assert identify_format(text).kind is FileKind.OTHER
