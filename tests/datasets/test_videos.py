"""Frames of videos: their order, modalities, problems and video files without frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fas_core import DataError
from fas_plugins.datasets.videos import Video, build_frame_table, list_video_names, parse_videos

Touch = Callable[..., None]
Write = Callable[..., Path]
RGB = {"rgb": (".",)}
PAIRED = {"rgb": ("color", "rgb"), "depth": ("depth",), "ir": ("ir",)}


def live(path: str, location: str = "list:1") -> Video:
    return Video(path, location, 1, "live", subject="7")


def parse(location: str, number: int) -> Video:
    if number < 0:
        raise ValueError(f"{number} is negative")
    return live(str(number), location)


def test_all_failures_of_parsing_are_reported() -> None:
    assert [video.path for video in parse_videos(Path("list"), [("1", 3), ("2", 4)], parse)] == ["3", "4"]
    with pytest.raises(DataError, match="list: 2 problems") as caught:
        parse_videos(Path("list"), [("list:1", -1), ("list:2", 5), ("list:3", -2)], parse)
    assert caught.value.problems == ("list:1: -1 is negative", "list:3: -2 is negative")
    with pytest.raises(DataError, match="list: no videos of this split or protocol"):
        parse_videos(Path("list"), [], parse)


def test_frames_are_in_the_order_of_videos_and_numbers(tmp_path: Path, touch: Touch) -> None:
    touch(tmp_path, "b/10.jpg", "b/9.PNG", "b/notes.txt", "b/.1.jpg", "a/frame_0002.jpg", "a/cover.jpg")
    table = build_frame_table([live("b"), live("a")], "train", tmp_path, RGB)
    assert table.column("id") == ["b/9", "b/10", "a/cover", "a/frame_0002"]
    assert table.column("rgb") == ["b/9.PNG", "b/10.jpg", "a/cover.jpg", "a/frame_0002.jpg"]
    assert table.column("frame") == [9, 10, None, 2]
    assert table.column("video") == ["b", "b", "a", "a"]
    assert set(table.column("split")) == {"train"}
    assert set(table.column("subject")) == {"7"}
    assert table.column("group") == [None] * 4


def test_modalities_are_folders_and_may_lack_frames(tmp_path: Path, touch: Touch) -> None:
    touch(tmp_path / "a", "rgb/1.jpg", "rgb/2.jpg", "depth/1.png", "1.jpg")
    table = build_frame_table([live("a")], "dev", tmp_path, PAIRED)
    assert table.modalities == ("rgb", "depth")
    assert table.column("rgb") == ["a/rgb/1.jpg", "a/rgb/2.jpg"]
    assert table.column("depth") == ["a/depth/1.png", None]


def test_all_problems_of_videos_are_reported(tmp_path: Path, touch: Touch) -> None:
    touch(tmp_path, "a/1.jpg", "b/1.jpg", "b/1.png")
    videos = [live(path, f"list:{line}") for line, path in enumerate(("a", "a", "b", "c"), 1)]
    with pytest.raises(DataError) as caught:
        build_frame_table(videos, "test", tmp_path, RGB)
    assert caught.value.problems == (
        "list:2: a is listed before",
        f"list:3: {tmp_path}/b: 1.jpg and 1.png are one frame: keep one of them",
        f"list:4: no frames in {tmp_path}/c",
    )


def test_a_video_without_a_face_may_lack_frames(tmp_path: Path, touch: Touch, write: Write) -> None:
    touch(tmp_path, "a/1.jpg")
    write(tmp_path / "no_face.txt", "c/1", "c/2")
    assert len(build_frame_table([live("a"), live("c")], "test", tmp_path, RGB)) == 1
    with pytest.raises(DataError, match="no frames of the 'test' split"):
        build_frame_table([live("c")], "test", tmp_path, RGB)


def test_video_files_without_frames_name_the_command(tmp_path: Path, touch: Touch) -> None:
    touch(tmp_path, "train/a.avi")
    with pytest.raises(DataError, match=rf"holds videos but no frames: run `fas data frames {tmp_path} "):
        build_frame_table([live("train/a")], "train", tmp_path, RGB)


def test_names_of_videos_are_folders_and_video_files(tmp_path: Path, touch: Touch) -> None:
    touch(tmp_path, "b/1.jpg", "a.mp4", "b.mp4", "notes.txt", ".cache/1.jpg")
    assert list_video_names(tmp_path) == ["a", "b"]
    assert list_video_names(tmp_path / "missing") == []


def test_files_that_are_no_frames_are_counted_and_undecodable_frames_refused(
    tmp_path: Path, touch: Touch
) -> None:
    touch(tmp_path, "a/1.jpg", "a/notes.txt", "a/.hidden.txt", "a/sound.wav", "b/1.pgm", "b/2.heic")
    left_out: list[str] = []
    assert len(build_frame_table([live("a")], "test", tmp_path, RGB, left_out)) == 1
    assert left_out == ["notes.txt", "sound.wav"]
    with pytest.raises(DataError) as caught:
        build_frame_table([live("b")], "test", tmp_path, RGB)
    assert caught.value.problems == (f"list:1: {tmp_path}/b: cannot be decoded: 2.heic",)
