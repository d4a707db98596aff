"""OULU-NPU on a miniature tree in the documented layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fas_core import DataError
from fas_core.testing import check_dataset, open_dataset
from fas_plugins.datasets.options import OuluNpuOptions
from fas_plugins.datasets.oulu_npu import OuluNpu

TRAIN = ["1_1_01_1", "1_2_01_2", "6_2_20_5"]
DEV = ["2_1_21_1", "2_1_21_4"]
TEST = ["1_3_36_1", "1_3_36_3"]
Write = Callable[..., Path]
Touch = Callable[..., None]


def reader(root: Path, protocol: str = "1") -> OuluNpu:
    return OuluNpu(OuluNpuOptions(protocol), root=root)  # type: ignore[arg-type]


@pytest.fixture
def root(tmp_path: Path, write: Write, touch: Touch) -> Path:
    """Protocol 1 and sub-protocol 3@2; frames 2 and 10 of every video, and the eye positions' files."""
    for part, names in (("Train", TRAIN), ("Dev", DEV), ("Test", TEST)):
        for name in names:
            touch(tmp_path / f"{part}_files", f"{name}/0010.jpg", f"{name}/0002.jpg", f"{name}.txt")
    lists = tmp_path / "Protocols"
    write(lists / "Protocol_1/Train.txt", "+1,1_1_01_1", "-1,1_2_01_2  ", " -2 , 6_2_20_5", "", end="\r\n")
    write(lists / "Protocol_1/Dev.txt", "1,2_1_21_1", "-2,2_1_21_4")
    write(lists / "Protocol_1/Test.txt", "+1,1_3_36_1", "-1,1_3_36_3")
    for part, line in (("Train", "+1,1_1_01_1"), ("Dev", "-2,2_1_21_4"), ("Test", "-1,1_3_36_3")):
        write(lists / f"Protocol_3/{part}_2.txt", line)
    return tmp_path


def test_frames_are_read_by_the_lists_of_a_protocol(root: Path) -> None:
    oulu = reader(root)
    assert oulu.splits() == ("train", "dev", "test")
    train = oulu.samples("train")
    assert train.column("id") == [
        f"Train_files/{video}/{frame}" for video in TRAIN for frame in ("0002", "0010")
    ]
    assert train.column("rgb")[0] == "Train_files/1_1_01_1/0002.jpg"
    assert train.column("frame") == [2, 10] * 3
    assert train.labels.tolist() == [1, 1, 0, 0, 0, 0]
    assert train.column("species")[::2] == ["live", "print", "replay"]
    assert train.column("subject")[::2] == ["01", "01", "20"]
    assert train.column("session")[::2] == ["1", "2", "2"]
    assert train.column("device")[::2] == ["1", "1", "6"]
    assert train.column("video")[::2] == [f"Train_files/{video}" for video in TRAIN]
    check_dataset("oulu_npu", root, OuluNpuOptions("1"))


def test_sub_protocols_have_lists_of_their_own(root: Path) -> None:
    oulu = reader(root, "3@2")
    assert {split: set(oulu.samples(split).column("video")) for split in oulu.splits()} == {
        "train": {"Train_files/1_1_01_1"},
        "dev": {"Dev_files/2_1_21_4"},
        "test": {"Test_files/1_3_36_3"},
    }
    with pytest.raises(DataError, match=r"no Protocols/Protocol_4/Train_6\.txt: give"):
        reader(root, "4@6").splits()


def test_all_needs_no_lists(root: Path, touch: Touch) -> None:
    (root / "Protocols").rename(root / "elsewhere")
    whole = open_dataset(root)
    assert [len(whole.samples(split)) for split in whole.splits()] == [6, 4, 4]
    touch(root / "Dev_files", "extra/0001.jpg", "3_1_22_9/0001.jpg", ".cache/0001.jpg")
    with pytest.raises(DataError) as caught:
        whole.samples("dev")
    assert [line.rpartition("/")[2] for line in caught.value.problems] == [
        "3_1_22_9: video '3_1_22_9' is not like 1_1_01_1",
        "extra: video 'extra' is not like 1_1_01_1",
    ]


def test_lists_in_another_folder_are_found(root: Path) -> None:
    (root / "Protocols").rename(root / "OULU_Protocols")
    assert len(reader(root).samples("test")) == 4
    assert open_dataset(root, protocol="3@2").options == OuluNpuOptions("3@2")  # type: ignore[attr-defined]


def test_every_malformed_line_is_named(root: Path, write: Write) -> None:
    file = write(
        root / "Protocols/Protocol_1/Train.txt",
        "-1,1_1_01_1",
        "+1,1_2_01_2",
        "live,1_2_01_2",
        "1_2_01_2",
        "-1,1_2_01_7",
        "-1,../1_2_01_2",
        "+1,1_1_01_1",
    )
    with pytest.raises(DataError, match="6 problems") as caught:
        reader(root).samples("train")
    assert [line.removeprefix(f"{file}:") for line in caught.value.problems] == [
        "1: label -1 of 1_1_01_1, whose last number says live",
        "2: label +1 of 1_2_01_2, whose last number says print",
        "3: label is 'live', expected +1 (live), -1 or -2 (attack) in 'label,video'",
        "4: label is '1_2_01_2', expected +1 (live), -1 or -2 (attack) in 'label,video'",
        "5: video '1_2_01_7' is not like 1_1_01_1",
        "6: video '../1_2_01_2' is not like 1_1_01_1",
    ]


def test_a_video_listed_twice_or_without_frames_is_named(root: Path, write: Write, touch: Touch) -> None:
    file = write(
        root / "Protocols/Protocol_1/Dev.txt", "+1,2_1_21_1", "-1,2_1_21_3", "-2,2_1_21_4", "+1,2_1_21_1"
    )
    touch(root / "Dev_files", "2_1_21_4/0002.png")
    with pytest.raises(DataError) as caught:
        reader(root).samples("dev")
    assert caught.value.problems == (
        f"{file}:2: no frames in {root}/Dev_files/2_1_21_3",
        f"{file}:3: {root}/Dev_files/2_1_21_4: 0002.jpg and 0002.png are one frame: keep one of them",
        f"{file}:4: Dev_files/2_1_21_1 is listed before",
    )


def test_an_empty_list_is_refused(root: Path, write: Write) -> None:
    write(root / "Protocols/Protocol_1/Test.txt", "", " ")
    with pytest.raises(DataError, match=r"Test\.txt: no videos of this split"):
        reader(root).samples("test")


@pytest.mark.parametrize("protocol", ["1", "all"])
def test_videos_without_frames_are_one_line(
    tmp_path: Path, write: Write, touch: Touch, protocol: str
) -> None:
    write(tmp_path / "Protocols/Protocol_1/Train.txt", "+1,1_1_01_1", "-1,1_1_01_2")
    touch(tmp_path / "Train_files", "1_1_01_1.avi", "1_1_01_2.avi")
    with pytest.raises(
        DataError, match=rf"holds videos but no frames: run `fas data frames {tmp_path} "
    ) as caught:
        reader(tmp_path, protocol).samples("train")
    assert "\n" not in str(caught.value)


def test_a_video_without_a_face_may_be_missing_among_crops(root: Path, write: Write) -> None:
    for frame in (root / "Dev_files/2_1_21_4").iterdir():
        frame.unlink()
    (root / "Dev_files/2_1_21_4").rmdir()
    with pytest.raises(DataError, match="no frames in"):
        reader(root).samples("dev")
    write(
        root / "no_face.txt", "Dev_files/2_1_21_4/0002", "Dev_files/2_1_21_4/0010", "Dev_files/2_1_21_1/0002"
    )
    oulu = reader(root)
    assert set(oulu.samples("dev").column("video")) == {"Dev_files/2_1_21_1"}
    assert oulu.notes == ("1 video is left out, as no frame of them has a face: Dev_files/2_1_21_4",)
