"""List files of CeFA: their folders, lines and merging."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fas_core import DataError
from fas_plugins.datasets.cefa_lists import (
    CHALLENGE,
    FULL,
    Frame,
    merge_lists,
    parse_frame_number,
    read_list,
)

Write = Callable[..., Path]
Touch = Callable[..., None]
FILES = [Path("lists/one.txt"), Path("lists/two.txt")]


def test_labelled_lists_are_preferred_and_all_are_of_one_folder(tmp_path: Path, write: Write) -> None:
    res = write(tmp_path / "phase1/4@1_dev_res.txt", "dev/003000")
    other = write(tmp_path / "phase1/4@2_dev_res.txt", "dev/003200")
    write(tmp_path / "phase2/4@3_dev_res.txt", "dev/003400")
    assert CHALLENGE.find_lists(tmp_path, "dev") == {"4@1": res, "4@2": other}
    ref = write(tmp_path / "phase1/4@1_dev_ref.txt", "dev/003000 1")
    assert CHALLENGE.find_lists(tmp_path, "dev") == {"4@1": ref, "4@2": other}
    assert CHALLENGE.find_lists(tmp_path, "test") == {}


def test_videos_are_beside_a_challenge_list_and_in_the_full_releases_folder(tmp_path: Path) -> None:
    assert CHALLENGE.find_video_folder(tmp_path, tmp_path / "phase1/4@1_train.txt") == "phase1/"
    assert CHALLENGE.find_video_folder(tmp_path, tmp_path / "4@1_train.txt") == ""
    assert FULL.find_video_folder(tmp_path, tmp_path / "protocol/list.txt") == ""
    (tmp_path / "CASIA_CeFA").mkdir()
    assert FULL.find_video_folder(tmp_path, tmp_path / "protocol/list.txt") == "CASIA_CeFA/"


def test_a_video_stands_for_its_images_and_the_full_release_inverts_labels(
    tmp_path: Path, write: Write, touch: Touch
) -> None:
    touch(tmp_path / "v", "color/2.jpg", "color/10.jpg", "depth/2.jpg", "ir/2.jpg", "ir/10.jpg")
    file = write(tmp_path / "list.txt", "CASIA_CeFA/v 0", "w/color/1.jpg 1")
    assert read_list(file, tmp_path, FULL, "train") == [
        Frame("v", "2.jpg", 1),
        Frame("v", "10.jpg", 1, missing=("depth",)),
        Frame("w", "1.jpg", 0),
    ]


def test_merged_lists_have_each_frame_once_with_its_label() -> None:
    first = [Frame("v", "1.jpg", None), Frame("v", "2.jpg", 0)]
    second = [Frame("v", "2.jpg", None), Frame("v", "1.jpg", 1)]
    assert merge_lists([first, second], FILES) == [Frame("v", "1.jpg", 1), Frame("v", "2.jpg", 0)]


def test_contradicting_labels_are_refused_once_per_video() -> None:
    live = [Frame("v", f"{number}.jpg", 1) for number in range(3)]
    attack = [Frame("v", f"{number}.jpg", 0) for number in range(3)]
    with pytest.raises(DataError) as caught:
        merge_lists([live, attack], FILES)
    assert caught.value.problems == ("lists/two.txt: v: label differs from that in an earlier list",)


@pytest.mark.parametrize(
    ("name", "number"), [("0012.jpg", 12), ("a12.jpg", None), ("12", None), ("1234567890.jpg", None)]
)
def test_frame_numbers(name: str, number: int | None) -> None:
    assert parse_frame_number(name) == number


def test_an_undecodable_image_of_a_video_is_a_problem(tmp_path: Path, write: Write, touch: Touch) -> None:
    touch(tmp_path / "v", "color/1.jpg", "color/2.heic")
    with pytest.raises(DataError) as caught:
        read_list(write(tmp_path / "list.txt", "v 0"), tmp_path, FULL, "train")
    assert caught.value.problems == (f"{tmp_path}/list.txt:1: {tmp_path}/v/color: cannot be decoded: 2.heic",)
