"""CeFA's two releases: where their lists lie, and what the lines of a list name."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import frozen

from fas_core.data.text_lists import is_image, read_lines, refuse
from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE

SPLITS = ("train", "dev", "test")


@frozen
class Release:
    """How a release lies on disk.

    Args:
        folders: where its lists may be, below the root.
        lists: names of a split's lists, the preferred one first; `{}` is the sub-protocol's number.
        numbers: what its lists call each sub-protocol.
        color: the folder of a video's colour images.
        live: the label of live samples.
        home: the folder that paths in the lists start with; none where they start at the lists' own.
    """

    folders: tuple[str, ...]
    lists: dict[str, tuple[str, ...]]
    numbers: dict[str, str]
    color: str
    live: str
    home: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The folders of a video, in the order of `MODALITIES`."""
        return (self.color, "depth", "ir")

    def find(self, root: Path, split: str) -> dict[str, Path]:
        """`{sub-protocol: its list}` of those that there are, all from one folder."""
        for folder in self.folders:
            found = {
                protocol: file
                for name in reversed(self.lists[split])
                for protocol, number in self.numbers.items()
                if (file := root / folder / name.format(number)).is_file()
            }
            if found:
                return found
        return {}

    def base(self, root: Path, file: Path) -> str:
        """The folder that videos of a list are in, relative to the root, with a slash at its end."""
        if self.home:
            return f"{self.home}/" if (root / self.home).is_dir() else ""
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
    live="1",
)
FULL = Release(
    folders=(".", "protocol", "CASIA_CeFA", "CASIA_CeFA/protocol"),
    lists={
        split: tuple(f"CASIA_CeFA@p4.{{}}_{level}_{split}.txt" for level in ("image", "video"))
        for split in SPLITS
    },
    numbers={"4@1": "1", "4@2": "3", "4@3": "5"},
    color="color",
    live="0",
    home="CASIA_CeFA",
)


@frozen
class Frame:
    """One moment of a video: `name` in each of its folders but those in `without`."""

    video: str
    name: str
    label: int | None
    without: tuple[str, ...] = ()


def joined(tables: list[list[Frame]], files: list[Path]) -> list[Frame]:
    """The frames of several lists, each once, with the label of whichever list has one.

    Raises:
        DataError: two lists disagree on a label.
    """
    frames: dict[tuple[str, str], Frame] = {}
    problems: list[str] = []
    for table, file in zip(tables, files, strict=True):
        for frame in table:
            before = frames.setdefault((frame.video, frame.name), frame)
            if before.label is None:
                frames[frame.video, frame.name] = frame
            elif frame.label not in (None, before.label):
                problems.append(f"{file}: {frame.video}: label differs from that in the lists before")
    refuse(files[0].parent, list(dict.fromkeys(problems)))
    return list(frames.values())


def read_frames(file: Path, base: Path, release: Release, split: str) -> list[Frame]:
    """The frames of one list; videos that it names as a whole are looked up below `base`.

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
            for frame in frames_of(words, labelled, base, release):
                if frames.setdefault((frame.video, frame.name), frame) is not frame:
                    raise ValueError(f"{words[0]} is listed before")
        except ValueError as error:
            problems.append(f"{file}:{number}: {error}")
    refuse(file, problems)
    return list(frames.values())


def frames_of(words: list[str], labelled: bool, base: Path, release: Release) -> list[Frame]:
    """What one line names: an image, or a video with all of its images.

    Raises:
        ValueError: the line is not like that, or the video has no images.
    """
    if len(words) != 1 + labelled:
        raise ValueError(f"{len(words)} columns, and not {'path label' if labelled else 'path'!r}")
    if labelled and words[1] not in ("0", "1"):
        raise ValueError(f"label {words[1]!r}, and not 0 or 1")
    label = (LIVE if words[1] == release.live else ATTACK) if labelled else None
    path = words[0].replace("\\", "/").strip("/").removeprefix(f"{release.home}/")
    if not is_image(path):
        return frames_in(base, path, release, label)
    video, _, rest = path.rpartition(f"/{release.color}/")
    if not video or "/" in rest:
        raise ValueError(f"{words[0]!r} is not like train/1_031_1_1_1/{release.color}/0001.jpg")
    return [Frame(video, rest, label)]


def frames_in(base: Path, video: str, release: Release, label: int | None) -> list[Frame]:
    """All images of a video, by number; those that lack depth or infrared say so."""
    there = {kind: images_in(base / video / kind) for kind in release.kinds}
    names = sorted(there[release.color], key=lambda name: (number_in(name) or 0, name))
    if not names:
        raise ValueError(f"{video}: no images in {base / video / release.color}")
    return [
        Frame(video, name, label, tuple(kind for kind in there if name not in there[kind])) for name in names
    ]


def images_in(folder: Path) -> set[str]:
    """Names of a folder's images; none where there is no folder."""
    return {path.name for path in folder.iterdir() if is_image(path.name)} if folder.is_dir() else set()


def number_in(name: str) -> int | None:
    """`0012.jpg` -> 12."""
    stem = name.rpartition(".")[0]
    return int(stem) if re.fullmatch(r"[0-9]{1,9}", stem) else None
