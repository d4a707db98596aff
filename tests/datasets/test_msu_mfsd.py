"""MSU-MFSD on a miniature tree in the documented layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fas_core import DataError, NoOptions
from fas_core.testing import check_dataset, open_dataset
from fas_plugins.datasets.msu_mfsd import MsuMfsd

Write = Callable[..., Path]
Touch = Callable[..., None]


@pytest.fixture
def root(tmp_path: Path, write: Write, touch: Touch) -> Path:
    """Two people in train and one in test, lists as Windows leaves them."""
    write(tmp_path / "train_sub_list.txt", "01 ", "7", "", "55", end="\r\n")
    write(tmp_path / "test_sub_list.txt", "002", end="\r")
    for video in (
        "real/real_client001_android_SD_scene01",
        "real/real_client002_laptop_SD_scene01",
        "attack/attack_client007_laptop_SD_ipad_video_scene01",
        "attack/attack_client007_android_SD_iphone_video_scene01",
        "attack/attack_client002_android_SD_printed_photo_scene01",
    ):
        touch(tmp_path / "scene01" / video, "0003.png", "0020.png")
        touch(tmp_path / "scene01", f"{video}.face")
    return tmp_path


def read(root: Path, split: str = "train") -> MsuMfsd:
    reader = MsuMfsd(NoOptions(), root=root)
    reader.samples(split)
    return reader


def test_people_are_by_the_lists_and_the_rest_by_names(root: Path) -> None:
    msu = open_dataset(root)
    assert msu.splits() == ("train", "test")
    train, test = msu.samples("train"), msu.samples("test")
    assert train.column("species")[::2] == ["live", "replay_iphone", "replay_ipad"]
    assert train.labels.tolist() == [1, 1, 0, 0, 0, 0]
    assert train.column("subject")[::2] == ["001", "007", "007"]
    assert train.column("device")[::2] == ["android", "android", "laptop"]
    assert set(train.column("session")) == {"scene01"}
    assert test.column("species")[::2] == ["live", "print"]
    assert test.column("video")[0] == "scene01/real/real_client002_laptop_SD_scene01"
    check_dataset("msu_mfsd", root)


def test_the_folder_scene01_may_be_missing(root: Path) -> None:
    for folder in ("real", "attack"):
        (root / "scene01" / folder).rename(root / folder)
    (root / "scene01").rmdir()
    assert read(root).samples("test").column("video")[0] == "real/real_client002_laptop_SD_scene01"


def test_lists_are_refused_whole(root: Path, write: Write) -> None:
    file = write(root / "train_sub_list.txt", "1", "two", "7", "client3", "2")
    with pytest.raises(DataError) as caught:
        read(root)
    assert caught.value.problems == (
        f"{file}:2: 'two' is not a client's number",
        f"{file}:4: 'client3' is not a client's number",
        f"{root}: client 002 is in the lists of both splits",
    )
    file.unlink()
    with pytest.raises(DataError, match=r"train_sub_list\.txt: no such list"):
        read(root)


def test_videos_are_refused_all_at_once(root: Path, touch: Touch) -> None:
    attacks, real = root / "scene01/attack", root / "scene01/real"
    touch(attacks, "real_client001_laptop_SD_scene01/1.jpg", "attack_client001_laptop_SD_scene01/1.jpg")
    touch(real, "real_client030_laptop_SD_scene01/1.jpg")
    with pytest.raises(DataError) as caught:
        read(root, "test")
    like = "is not like attack_client001_laptop_SD_ipad_video_scene01"
    assert caught.value.problems == (
        f"{real}: real_client030_laptop_SD_scene01: client 030 is in neither train_sub_list.txt nor "
        "test_sub_list.txt",
        f"{attacks}: 'attack_client001_laptop_SD_scene01' {like}",
        f"{attacks}: 'real_client001_laptop_SD_scene01' {like}",
    )


def test_an_unknown_attack_is_a_species_of_its_own(root: Path, touch: Touch) -> None:
    touch(root / "scene01/attack/attack_client002_laptop_SD_hologram_scene01", "1.jpg", "2.jpg")
    assert read(root).samples("test").column("species")[-1] == "hologram"


def test_video_files_alone_are_one_line(tmp_path: Path, write: Write, touch: Touch) -> None:
    write(tmp_path / "train_sub_list.txt", "1")
    write(tmp_path / "test_sub_list.txt", "2")
    with pytest.raises(DataError, match="no videos of this split"):
        read(tmp_path)
    touch(tmp_path / "scene01/real", "real_client001_android_SD_scene01.mp4")
    with pytest.raises(DataError, match=rf"run `fas data frames {tmp_path} FRAMES` and read FRAMES$"):
        read(tmp_path)
