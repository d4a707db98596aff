"""Frames of video files."""

from __future__ import annotations

import socket
from pathlib import Path

import cv2
import numpy as np
import pytest

from fas_core import DataError
from fas_core.data.video import frames, opened


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Ten frames of 64 x 48 pixels; frame n (from 1) is red at the level 20 * n."""
    path = tmp_path / "video.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for number in range(1, 11):
        image = np.zeros((48, 64, 3), np.uint8)
        image[..., 2] = 20 * number  # OpenCV writes BGR
        writer.write(image)
    writer.release()
    return path


@pytest.mark.parametrize(
    ("every", "limit", "numbers"),
    [(1, None, range(1, 11)), (3, None, [1, 4, 7, 10]), (3, 2, [1, 4]), (20, None, [1]), (1, 3, [1, 2, 3])],
)
def test_every_nth_frame_with_its_number(
    video: Path, every: int, limit: int | None, numbers: list[int]
) -> None:
    result = list(frames(video, every, limit))
    assert [frame.number for frame in result] == list(numbers)
    for frame in result:
        assert (frame.image.shape, frame.rate, frame.is_live) == ((48, 64, 3), 10, False)
        np.testing.assert_allclose(frame.image.mean(axis=(0, 1)), [20 * frame.number, 0, 0], atol=6)


def test_a_source_that_is_no_video(video: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.avi").touch()
    with pytest.raises(DataError, match=r"empty \(0 bytes\)"), opened(tmp_path / "empty.avi"):
        pass
    (tmp_path / "text.avi").write_text("no video")
    with pytest.raises(DataError, match="cannot be opened: damaged, cut off or no video"):
        next(frames(tmp_path / "text.avi"))


def test_a_link_to_nothing_and_an_address_without_a_camera(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").symlink_to(tmp_path / "gone.mp4")
    with pytest.raises(DataError, match="no such file"):
        next(frames(tmp_path / "a.mp4"))
    with pytest.raises(DataError, match="cannot be opened: check the address"):
        next(frames("http://127.0.0.1:9/none"))


@pytest.mark.parametrize("scheme", ["tcp", "http"])
def test_a_name_like_an_address_is_that_of_a_file(
    video: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """FFmpeg would contact the host, as its videos have such names relative to the current folder."""
    monkeypatch.chdir(video.parent)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        path = Path(f"{scheme}:127.0.0.1:{server.getsockname()[1]}?.avi")
        path.write_bytes(video.read_bytes())
        assert len(list(frames(path))) == 10
        with pytest.raises(TimeoutError):
            server.accept()
