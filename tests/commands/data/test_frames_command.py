"""`fas data frames`: its flags, its output and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import Result

Fas = Callable[..., Result]


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """One video of 20 frames, and a file that is none."""
    folder = tmp_path / "videos"
    (folder / "a").mkdir(parents=True)
    writer = cv2.VideoWriter(str(folder / "a/b.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(20):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    (folder / "broken.mov").write_bytes(b"nonsense")
    return folder


def test_frames_of_videos(fas: Fas, videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = fas("data", "frames", videos, out, "-j", 1)
    assert result.exit_code == 1
    assert result.stdout == f"{out}: 10 frames of 1 videos (0 were done before)\n"
    assert result.stderr == f"error: {videos}/broken.mov: cannot be opened: damaged, cut off or no video\n"
    (videos / "broken.mov").unlink()
    result = fas("data", "frames", videos, out, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"videos": 1, "frames": 10, "kept": 1, "unreadable": {}, "notes": []}
    result = fas("data", "frames", videos, tmp_path / "png", "--every", 10, "--format", "png", "-q")
    assert (result.exit_code, result.output) == (0, "")
    assert sorted(path.name for path in (tmp_path / "png/a/b").iterdir()) == ["0001.png", "0011.png"]


def test_frames_refuses_in_one_line(fas: Fas, videos: Path, tmp_path: Path) -> None:
    result = fas("data", "frames", videos, tmp_path / "out", "--every", 2, "--per-video", 2)
    assert result.exit_code == 2
    assert "--per-video and --every exclude each other" in result.stderr
    result = fas("data", "frames", tmp_path / "out", tmp_path / "frames")
    assert (result.exit_code, result.stderr) == (2, f"error: {tmp_path}/out: no such folder\n")
    assert fas("data", "frames", videos, videos / "out").exit_code == 2


@pytest.mark.parametrize("flags", [("--every", 0), ("--per-video", 0), ("--format", "bmp"), ("-j", 0)])
def test_flags_out_of_range_are_refused(
    fas: Fas, videos: Path, tmp_path: Path, flags: tuple[str, object]
) -> None:
    result = fas("data", "frames", videos, tmp_path / "out", *flags)
    assert (result.exit_code, result.stdout) == (2, "")
    assert flags[0] in result.stderr
    assert not (tmp_path / "out").exists()


def test_unreadable_videos_are_in_the_document_and_end_with_1(fas: Fas, videos: Path, tmp_path: Path) -> None:
    result = fas("data", "frames", videos, tmp_path / "out", "--per-video", 3, "--json")
    assert result.exit_code == 1
    reason = "cannot be opened: damaged, cut off or no video"
    assert json.loads(result.stdout) == {
        "videos": 1,
        "frames": 3,
        "kept": 0,
        "unreadable": {"broken.mov": reason},
        "notes": [],
    }


def test_files_that_are_no_videos_are_counted(fas: Fas, videos: Path, tmp_path: Path) -> None:
    (videos / "broken.mov").unlink()
    (videos / "clip.mp4").mkdir()  # a folder of frames
    for name in ("clip.mp4/0001.jpg", "notes.txt", "Thumbs.db", "a/photo.heic"):
        (videos / name).write_bytes(b"")
    (videos / "a/b.avi").rename(videos / "a/recording")
    result = fas("data", "frames", videos, tmp_path / "out")
    assert result.exit_code == 0
    assert result.stderr == f"warning: {videos}: 3 files left out: 1 .heic, 1 .jpg, 1 .txt\n"
    assert len(list((tmp_path / "out/a/recording").iterdir())) == 10
