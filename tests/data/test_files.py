"""Only a file is opened: no pipe, socket, device or folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from fas_core.data.files import open_file
from fas_core.data.images import MAX_BYTES, read_bytes
from fas_core.data.video import frames
from fas_core.errors import DataError


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"bytes")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with open_file(tmp_path / "link") as stream:
        assert stream.read() == b"bytes"


def test_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    os.mkfifo("pipe.png")
    Path("folder.png").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
        for name, kind in (("pipe", "a pipe"), ("folder", "a folder"), ("socket", "a socket")):
            path = Path(f"{name}.png")
            with pytest.raises(DataError, match=rf"^{name}\.png: cannot be read: {kind}, not a file$"):
                read_bytes(path)
    Path("zero.png").symlink_to("/dev/zero")
    with pytest.raises(DataError, match=r"zero\.png: cannot be read: a device, not a file"):
        read_bytes(Path("zero.png"))
    with pytest.raises(DataError, match="not the name of a file"):
        read_bytes(Path("a\0b.png"))


def test_a_pipe_is_no_video(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(DataError, match=r"^cannot be read: a pipe, not a file$"):
        next(frames(tmp_path / "pipe.mp4"))


def test_a_file_larger_than_any_image_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.touch()
    os.truncate(path, MAX_BYTES + 1)
    with pytest.raises(DataError, match="more than 1024 MB"):
        read_bytes(path)
