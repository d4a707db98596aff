"""Frames of videos that OpenCV writes here: which are taken, what a damaged file does, and resuming."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fas_core import DataError, FasError
from fas_core.data.images import read_image
from fas_core.data.open import open_dataset
from fas_core.registry import registry
from fas_plugins.commands.data.frames import ExtractionResult, FrameSettings, extract_frames, write_frames

Film = Callable[..., Path]
SPREAD = FrameSettings(per_video=4, format="png")


@pytest.fixture
def film() -> Film:
    """`film(path, count=20, codec="MJPG")`: 64 x 48 pixels; frame n (from 1) has the grey level 12 * n."""

    def make(path: Path, count: int = 20, codec: str = "MJPG") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 10, (64, 48))
        for number in range(1, count + 1):
            writer.write(np.full((48, 64, 3), 12 * number, np.uint8))
        writer.release()
        return path

    return make


def run(source: Path, destination: Path, settings: FrameSettings = SPREAD) -> ExtractionResult:
    return extract_frames(source, destination, settings, 2, registry())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_frames_are_evenly_spread_and_named_by_number(tmp_path: Path, film: Film) -> None:
    film(tmp_path / "in/a/b.avi")
    film(tmp_path / "in/c.MP4", codec="mp4v")
    (tmp_path / "in/a/readme.txt").write_text("not a video")
    (tmp_path / "in/a/photo.jpg").write_bytes(b"nor this")
    (tmp_path / "in/a/._b.avi").write_bytes(b"nor this")
    done = run(tmp_path / "in", tmp_path / "out")
    assert (done.videos, done.frames, done.skipped, done.unreadable) == (2, 8, 0, {})
    for folder in ("a/b", "c"):
        assert names(tmp_path / "out" / folder) == ["0003.png", "0008.png", "0013.png", "0018.png"]
        for number in (3, 8, 13, 18):
            image = read_image(tmp_path / "out" / folder / f"{number:04}.png")
            assert image.shape == (48, 64, 3)
            assert abs(int(image.mean()) - 12 * number) <= 5
    assert names(tmp_path / "out") == ["a", "c", "frames.json", "manifest.csv", "unreadable.txt"]


def test_the_manifest_is_a_data_set(tmp_path: Path, film: Film) -> None:
    film(tmp_path / "in/a/b.avi")
    run(tmp_path / "in", tmp_path / "out")
    samples = open_dataset(str(tmp_path / "out/manifest.csv"), None, registry()).samples("test")
    assert samples.column("id") == [f"a/b/{number:04}" for number in (3, 8, 13, 18)]
    assert samples.column("frame") == [3, 8, 13, 18]
    assert set(samples.column("video")) == {"a/b"}
    assert samples.labels.tolist() == [-1] * 4
    assert all(path.is_file() for path in samples.paths("rgb"))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (FrameSettings(every=8), ["0001.jpg", "0009.jpg", "0017.jpg"]),
        (FrameSettings(every=100), ["0001.jpg"]),
        (FrameSettings(per_video=1), ["0011.jpg"]),
        (FrameSettings(every=1), [f"{number:04}.jpg" for number in range(1, 21)]),
        (FrameSettings(per_video=99), [f"{number:04}.jpg" for number in range(1, 21)]),
    ],
)
def test_each_nth_or_so_many(
    tmp_path: Path, film: Film, settings: FrameSettings, expected: list[str]
) -> None:
    (tmp_path / "out").mkdir()
    assert write_frames(film(tmp_path / "a.avi"), tmp_path / "out", settings) == ""
    assert names(tmp_path / "out") == expected


def test_damaged_videos_are_listed_and_the_rest_is_done(tmp_path: Path, film: Film) -> None:
    whole = film(tmp_path / "in/good.avi").read_bytes()
    (tmp_path / "in/cut.avi").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "in/text.mov").write_bytes(b"no video at all")
    (tmp_path / "in/empty.mkv").touch()
    done = run(tmp_path / "in", tmp_path / "out")
    assert (done.videos, done.frames) == (1, 4)
    assert done.unreadable == {
        "cut.avi": "cannot be opened: damaged, cut off or no video",
        "empty.mkv": "empty (0 bytes)",
        "text.mov": "cannot be opened: damaged, cut off or no video",
    }
    assert (tmp_path / "out/unreadable.txt").read_text().splitlines() == [
        f"{video}: {why}" for video, why in done.unreadable.items()
    ]
    assert not list((tmp_path / "out").rglob(".*"))
    assert names(tmp_path / "out") == ["frames.json", "good", "manifest.csv", "unreadable.txt"]


@pytest.mark.parametrize("settings", [SPREAD, FrameSettings(every=1)])
def test_a_video_shorter_than_its_header_says(tmp_path: Path, film: Film, settings: FrameSettings) -> None:
    """Frames are spread over what there is, and it is said."""
    content = film(tmp_path / "a.avi").read_bytes()
    (tmp_path / "a.avi").write_bytes(content.replace((20).to_bytes(4, "little"), (200).to_bytes(4, "little")))
    (tmp_path / "out").mkdir()
    warning = write_frames(tmp_path / "a.avi", tmp_path / "out", settings)
    assert warning == "cut off after 20 of 200 frames; those are used"
    assert len(names(tmp_path / "out")) == (4 if settings.per_video else 20)
    assert "0018.png" in names(tmp_path / "out") or settings.every


def test_phones_videos_are_turned_upright(tmp_path: Path, film: Film) -> None:
    video = film(tmp_path / "phone.mp4", codec="mp4v")
    content = video.read_bytes()
    one, end = 0x10000, 0x40000000
    upright = b"".join(value.to_bytes(4, "big") for value in (one, 0, 0, 0, one, 0, 0, 0, end))
    turned = b"".join(
        (value & 0xFFFFFFFF).to_bytes(4, "big") for value in (0, one, 0, -one, 0, 0, 48 * one, 0, end)
    )
    place = content.index(upright, content.index(b"tkhd"))
    video.write_bytes(content[:place] + turned + content[place + len(turned) :])
    (tmp_path / "out").mkdir()
    write_frames(video, tmp_path / "out", FrameSettings(per_video=1))
    assert read_image(tmp_path / "out/0011.jpg").shape == (64, 48, 3)


def test_what_is_done_is_kept_and_the_rest_is_caught_up(tmp_path: Path, film: Film) -> None:
    film(tmp_path / "in/a.avi")
    (tmp_path / "in/b.avi").write_bytes(b"")
    assert run(tmp_path / "in", tmp_path / "out").unreadable
    frame = tmp_path / "out/a/0003.png"
    frame.write_bytes(b"left alone")
    film(tmp_path / "in/b.avi")
    done = run(tmp_path / "in", tmp_path / "out")
    assert (done.videos, done.skipped, done.frames, done.unreadable) == (2, 1, 8, {})
    assert frame.read_bytes() == b"left alone"
    assert (tmp_path / "out/unreadable.txt").read_text() == ""
    with pytest.raises(DataError, match=r"has frames by .*\"per_video\": 4.*: use the same settings"):
        run(tmp_path / "in", tmp_path / "out", FrameSettings(every=2))


def test_list_files_of_a_known_layout_go_along(tmp_path: Path, film: Film) -> None:
    (tmp_path / "in/Protocols/Protocol_1").mkdir(parents=True)
    (tmp_path / "in/Protocols/Protocol_1/Train.txt").write_text("+1,1_1_01_1\n-2,1_1_01_4\n")
    film(tmp_path / "in/Train_files/1_1_01_1.avi")
    film(tmp_path / "in/Train_files/1_1_01_4.avi")
    run(tmp_path / "in", tmp_path / "out")
    oulu = open_dataset(str(tmp_path / "out"), {"protocol": "1"}, registry())
    assert oulu.samples("train").counts() == {"live": 4, "attack": 4, "total": 8}


def test_bad_places_are_one_line(tmp_path: Path, film: Film) -> None:
    source = tmp_path / "in"
    source.mkdir()
    with pytest.raises(DataError, match=f"{source}: no videos in this folder"):
        run(source, tmp_path / "out")
    film(source / "a.avi")
    with pytest.raises(DataError, match="lies within"):
        run(source, source / "frames")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").touch()
    with pytest.raises(DataError, match="is not empty, and not of frames"):
        run(source, tmp_path / "full")
    (tmp_path / "file").touch()
    with pytest.raises(FasError, match="cannot be written"):
        run(source, tmp_path / "file/below")
    film(source / "a.mp4", codec="mp4v")
    film(source / "b/c.avi")
    film(source / "b.avi")
    with pytest.raises(DataError, match="more than one video would have its frames in a, b: rename one"):
        run(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()
