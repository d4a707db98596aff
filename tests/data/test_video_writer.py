"""Videos as they are read again."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from fas_core.data import video_writer
from fas_core.data.video import frames, opened
from fas_core.data.video_writer import writing_video
from fas_core.errors import FasError


def grey(level: int, width: int = 160, height: int = 120) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize("size", [(160, 120), (161, 121), (48, 64)])
@pytest.mark.parametrize(
    ("rate", "written"), [(30, 30), (30000 / 1001, 29.97), (0, 25), (1000 / 3, 240), (0.004, 0.01)]
)
def test_frames_size_and_rate_are_as_given(
    tmp_path: Path, size: tuple[int, int], rate: float, written: float
) -> None:
    path = tmp_path / "new/clip.mp4"
    with writing_video(path, rate, *size) as write:
        for level in (40, 120, 200):
            write(grey(level, *size))
    read = list(frames(path))
    assert [frame.image.shape for frame in read] == [(size[1] // 2 * 2, size[0] // 2 * 2, 3)] * 3
    assert read[0].rate == pytest.approx(written, rel=1e-3)
    for frame, level in zip(read, (40, 120, 200), strict=True):
        assert abs(frame.image.mean() - level) < 6
    with opened(path) as capture:
        assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 3


def test_colours_are_those_of_rgb_and_frames_of_another_size_are_resized(tmp_path: Path) -> None:
    red = np.zeros((120, 160, 3), np.uint8)
    red[..., 0] = 220
    with writing_video(tmp_path / "a.mp4", 25, 160, 120) as write:
        write(red)
        write(np.ascontiguousarray(red[:60, :40]))
    for frame in frames(tmp_path / "a.mp4"):
        np.testing.assert_allclose(frame.image.mean(axis=(0, 1)), [220, 0, 0], atol=12)


def test_a_block_that_fails_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"

    def fail() -> None:
        with writing_video(path, 25, 160, 120) as write:
            write(grey(10))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []
    path.write_text("former")
    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "former"


def test_what_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_nothing(path: Path) -> None:
        with writing_video(path, 25, 160, 120) as write:
            write(grey(10))

    monkeypatch.setattr(video_writer, "CODEC", 0)
    with pytest.raises(FasError, match=r"a\.mp4: cannot be written"):
        write_nothing(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    with writing_video(path, 25, 160, 120) as write:
        write(grey(90))
    assert len(list(frames(path))) == 1
