"""Frames of video files."""

from __future__ import annotations

import functools
import socket
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
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


class Camera:
    """Stands for `cv2.VideoCapture` where there is a camera: a picture comes whenever a test lets it."""

    def __init__(self, _: int) -> None:
        self.number = 0

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def grab(self) -> bool:
        if self.number:
            ASKED.release()
            assert ALLOWED.acquire(timeout=10)
        self.number += 1
        return True

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.full((30, 40, 3), self.number, np.uint8)

    def get(self, _: int) -> float:
        return 25.0

    def release(self) -> None: ...


ALLOWED, ASKED = threading.Semaphore(0), threading.Semaphore(0)
"""Pictures that the camera may give, and those that it was asked for."""


def test_pictures_of_a_camera_are_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    taken = frames(0, limit=3)
    first = next(taken)
    assert (first.number, first.is_live, first.rate) == (1, True, 25)
    ALLOWED.release()
    assert next(taken).number == 2
    for _ in range(5):  # while the caller is busy
        ALLOWED.release()
    for _ in range(7):  # the seventh after the sixth was put where the caller takes it
        assert ASKED.acquire(timeout=10)
    third = next(taken)
    assert third.number == 7
    assert (third.image == 7).all()
    ALLOWED.release()
    assert list(islice(taken, 1)) == []


class Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def address(video: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(video.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/{video.name}"
    server.shutdown()
    server.server_close()


def test_a_video_of_a_web_server_is_read_like_a_file(address: str) -> None:
    result = list(frames(address))
    assert [frame.number for frame in result] == list(range(1, 11))
    assert not result[0].is_live
