"""Damage that decoders do not refuse, against what they decode."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
import pytest

from fas_core import DataError
from fas_core.data.damage import is_truncated, is_zeroed
from fas_core.data.image_size import jpeg_segments
from fas_core.data.images import decode, encode

OPTIMISED = [cv2.IMWRITE_JPEG_OPTIMIZE, 1]
PROGRESSIVE = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]


def photo(side: int = 256) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (side // 8, side // 8, 3), np.uint8)
    return cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)


def jpeg(image: np.ndarray, options: list[int] | None = None) -> bytes:
    return bytes(cv2.imencode(".jpg", image, options or [])[1])


def zero(data: bytes, count: int = 4096) -> bytes:
    """Replace the middle of a file by zeros, as a lost sector of a disk does."""
    middle = len(data) // 2
    return data[:middle] + bytes(count) + data[middle + count :]


@pytest.mark.parametrize("options", [[], OPTIMISED])
def test_zeros_in_the_middle_of_a_jpeg_are_damage(options: list[int]) -> None:
    data = jpeg(photo(), options)
    assert not is_zeroed(data)
    assert is_zeroed(zero(data))
    assert not is_truncated(zero(data))
    with pytest.raises(DataError, match=r"a\.jpg: the image is damaged: zeros instead of pixels"):
        decode(zero(data), Path("a.jpg"))


@pytest.mark.parametrize("options", [[], OPTIMISED, PROGRESSIVE])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_even_image_is_none(options: list[int], level: int) -> None:
    """Optimised tables write an even area as zeros."""
    data = jpeg(np.full((3000, 2000, 3), level, np.uint8), options)
    assert not is_zeroed(data)
    assert (decode(data, Path("a.jpg")) == level).all()
    assert len(options) == 0 or bytes(512) in data or options == PROGRESSIVE


def test_zeros_in_the_header_of_a_jpeg_are_none() -> None:
    data = jpeg(photo())
    comment = b"\xff\xfe" + (4098).to_bytes(2, "big") + bytes(4096)
    assert not is_zeroed(data[:2] + comment + data[2:])


@pytest.mark.parametrize("options", [[], PROGRESSIVE, [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]])
def test_fill_bytes_between_segments_are_skipped_as_the_decoder_does(options: list[int]) -> None:
    data = jpeg(photo(64), options)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    positions = [start - 4 for _, start, _ in jpeg_segments(data)]
    chooser = random.Random(1)
    for position in positions[:7]:
        np.testing.assert_array_equal(
            decode(data[:position] + b"\xff" * 9 + data[position:], Path("a")), expected
        )
        for _ in range(20):
            fill = bytes(chooser.choices((0xFF, 0x00, 0x20), weights=(3, 1, 1), k=chooser.randint(1, 6)))
            filled = data[:position] + fill + data[position:]
            decoded = cv2.imdecode(np.frombuffer(filled, np.uint8), cv2.IMREAD_COLOR)
            if decoded is not None and (decoded[..., ::-1] == expected).all():
                np.testing.assert_array_equal(decode(filled, Path("a")), expected)


@pytest.mark.parametrize("suffix", [".bmp", ".webp", ".tif", ".ppm", ".png", ".jpg"])
@pytest.mark.parametrize("share", [0.5, 0.98])
def test_cut_off_images_of_all_formats_are_refused(suffix: str, share: float) -> None:
    data = encode(photo(), suffix)
    with pytest.raises(DataError):
        decode(data[: int(len(data) * share)], Path("a"))
