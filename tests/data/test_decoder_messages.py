"""Damage that only the decoder's warnings tell of."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from attrs import frozen

from fas_core.contracts import DatasetReader
from fas_core.data.decoder_messages import capture_damage, describe_damage, explain_undecodable
from fas_core.data.listing import Listing
from fas_core.errors import DataError


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.jpg"), cv2.resize(noise, (256, 256)))
    return tmp_path / "a.jpg"


def test_random_bytes_in_the_pixels_are_damage(photo: Path) -> None:
    assert describe_damage(photo) == ""
    data = bytearray(photo.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = np.random.default_rng(1).integers(1, 255, 300, np.uint8).tobytes()
    photo.write_bytes(data)
    assert describe_damage(photo).startswith(f"{photo}: the image is damaged: Corrupt JPEG data: ")


@pytest.mark.parametrize("count", [1, 3, 64])
def test_padding_by_a_camera_is_no_damage(photo: Path, count: int) -> None:
    data = photo.read_bytes()
    photo.write_bytes(data[:-2] + bytes(count) + data[-2:])
    assert describe_damage(photo) == ""


def test_what_others_print_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with capture_damage() as messages:
        os.write(2, b"a warning\nlibpng warning: iCCP: known incorrect sRGB profile\n")
        os.write(2, b"Corrupt JPEG data: premature end of data segment\n")
    assert messages == ["Corrupt JPEG data: premature end of data segment"]
    assert capfd.readouterr().err == "a warning\n"


def test_stderr_is_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError), capture_damage():
        raise DataError("a problem")
    os.write(2, b"here\n")
    assert capfd.readouterr().err == "here\n"


@frozen
class FolderReader:
    """A reader that lists a folder."""

    listing: Listing
    overlaps: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        return ()

    def samples(self, split: str) -> object:
        raise NotImplementedError


def test_undecodable_images_have_reasons(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic")
    reader: DatasetReader = FolderReader(Listing(undecodable=("a.heic",), others=("b.txt",)))  # type: ignore[assignment]
    reasons = explain_undecodable(reader, tmp_path)
    assert list(reasons) == ["a.heic"]
    assert "a HEIC image" in reasons["a.heic"]
