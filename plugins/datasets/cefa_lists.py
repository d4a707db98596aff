"""List files of CeFA's two releases: where they are, and which frames they name."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import frozen

from fas_core.data.listing import list_files
from fas_core.data.text_lists import is_image, read_lines, refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, LIVE

SPLITS = ("train", "dev", "test")


@frozen
class Release:
    """Layout of one release on disk.

    Args:
        folders: folders below the root that may hold the lists.
        lists: file names of each split's lists, the preferred one first; `{}` is the sub-protocol's number.
        numbers: the lists' number of each sub-protocol.
        color: name of a video's folder of colour images.
        live_label: the label of live samples.
        top_folder: first folder of the paths in the lists; empty where paths are relative to the list.
    """

    folders: tuple[str, ...]
    lists: dict[str, tuple[str, ...]]
    numbers: dict[str, str]
    color: str
    live_label: str
    top_folder: str = ""

    @property
    def modality_folders(self) -> tuple[str, ...]:
        """Folders of a video for rgb, depth and ir."""
        return (self.color, "depth", "ir")

    def find_lists(self, root: Path, split: str) -> dict[str, Path]:
        """Return `{sub-protocol: list}` of a split's existing lists, all from the first folder with any."""
        for folder in self.folders:
            files = {
                protocol: file
                for name in reversed(self.lists[split])  # the preferred name overwrites the others
                for protocol, number in self.numbers.items()
                if (file := root / folder / name.format(number)).is_file()
            }
            if files:
                return files
        return {}

    def find_video_folder(self, root: Path, file: Path) -> str:
        """Return the folder of a list's videos, relative to the root; ends with a slash unless empty."""
        if self.top_folder:
            return f"{self.top_folder}/" if (root / self.top_folder).is_dir() else ""
        folder = file.parent.relative_to(root).as_posix()
        return "" if folder == "." else f"{folder}/"


CHALLENGE = Release(
    folders=(".", "phase1", "phase2"),
    lists={
        "train": ("4@{}_train.txt",),
        "dev": ("4@{}_dev_ref.txt", "4@{}_dev_res.txt"),
        "test": ("4@{}_test_ref.txt", "4@{}_test_res.txt"),
    },
    numbers={"4@1": "1", "4@2": "2", "4@3": "3"},
    color="profile",
    live_label="1",
)
FULL = Release(
    folders=(".", "protocol", "CASIA_CeFA", "CASIA_CeFA/protocol"),
    lists={
        split: tuple(f"CASIA_CeFA@p4.{{}}_{level}_{split}.txt" for level in ("image", "video"))
        for split in SPLITS
    },
    numbers={"4@1": "1", "4@2": "3", "4@3": "5"},
    color="color",
    live_label="0",
    top_folder="CASIA_CeFA",
)


@frozen
class Frame:
    """One frame of a video: image `name` in each modality's folder except those in `missing`."""

    video: str
    name: str
    label: int | None
    missing: tuple[str, ...] = ()


def merge_lists(tables: list[list[Frame]], files: list[Path]) -> list[Frame]:
    """Merge the frames of several lists: each frame once, with the label of whichever list has one.

    Raises:
        DataError: two lists disagree on a label.
    """
    frames: dict[tuple[str, str], Frame] = {}
    problems: list[str] = []
    for table, file in zip(tables, files, strict=True):
        for frame in table:
            first = frames.setdefault((frame.video, frame.name), frame)
            if first.label is None:
                frames[frame.video, frame.name] = frame
            elif frame.label not in (None, first.label):
                problems.append(f"{file}: {frame.video}: label differs from that in an earlier list")
    refuse(files[0].parent, list(dict.fromkeys(problems)))
    return list(frames.values())


def read_list(file: Path, base: Path, release: Release, split: str) -> list[Frame]:
    """Read the frames of one list; images of listed videos are looked up below `base`.

    Raises:
        DataError: the list is empty, or lines are malformed, all of which are named.
    """
    numbered = [(number, line.split()) for number, line in enumerate(read_lines(file), 1) if line]
    if not numbered:
        raise DataError(f"{file}: the list is empty")
    labelled = split == "train" or len(numbered[0][1]) > 1
    frames: dict[tuple[str, str], Frame] = {}
    problems: list[str] = []
    for number, words in numbered:
        try:
            for frame in _parse_line(words, labelled, base, release):
                if frames.setdefault((frame.video, frame.name), frame) is not frame:
                    raise ValueError(f"{words[0]} is listed before")
        except ValueError as error:
            problems.append(f"{file}:{number}: {error}")
    refuse(file, problems)
    return list(frames.values())


def _parse_line(words: list[str], labelled: bool, base: Path, release: Release) -> list[Frame]:
    """Return the frames that one line names: an image, or all images of a video.

    Raises:
        ValueError: the line is malformed, or the video has no images.
    """
    if len(words) != 1 + labelled:
        raise ValueError(f"{len(words)} columns, expected {'path label' if labelled else 'path'!r}")
    if labelled and words[1] not in ("0", "1"):
        raise ValueError(f"label is {words[1]!r}, expected 0 or 1")
    label = (LIVE if words[1] == release.live_label else ATTACK) if labelled else None
    path = words[0].replace("\\", "/").strip("/").removeprefix(f"{release.top_folder}/")
    if not is_image(path):
        return _list_frames(base, path, release, label)
    video, _, name = path.rpartition(f"/{release.color}/")
    if not video or "/" in name:
        raise ValueError(f"{words[0]!r} is not like train/1_031_1_1_1/{release.color}/0001.jpg")
    return [Frame(video, name, label)]


def _list_frames(base: Path, video: str, release: Release, label: int | None) -> list[Frame]:
    """Return all frames of a video in the order of their numbers."""
    images = {folder: _list_images(base / video / folder) for folder in release.modality_folders}
    names = sorted(images[release.color], key=lambda name: (parse_frame_number(name) or 0, name))
    if not names:
        raise ValueError(f"{video}: no images in {base / video / release.color}")
    return [
        Frame(video, name, label, tuple(folder for folder in images if name not in images[folder]))
        for name in names
    ]


def _list_images(folder: Path) -> set[str]:
    """Return the names of a folder's images; empty if there is no folder.

    Raises:
        ValueError: an image cannot be decoded.
    """
    if not folder.is_dir():
        return set()
    listing = list_files(folder, recursive=False)
    if listing.undecodable:
        raise ValueError(f"{folder}: cannot be decoded: {format_list(listing.undecodable)}")
    return set(listing.images)


def parse_frame_number(name: str) -> int | None:
    """Return the number that is the image's name, None for other names: `0012.jpg` -> 12."""
    stem = name.rpartition(".")[0]
    return int(stem) if re.fullmatch(r"[0-9]{1,9}", stem) else None
