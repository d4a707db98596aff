"""Data sets that come as videos: their frames, in a folder a video, as `fas data frames` writes them.

`Train_files/1_1_01_1.avi` has become `Train_files/1_1_01_1/0001.jpg`, ...; of several modalities each has a
folder of its own in the video's. Crops that `fas data crop` makes of the frames are laid out alike; a video
none of whose frames has a face is missing among them, and `no_face.txt` tells that it may.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from fas_core.data.text_lists import NO_FACE, is_image, is_video, read_lines, refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import SampleTable

Item = TypeVar("Item")

TOLD = ("label", "species", "subject", "group", "session", "device")
COLOUR_ONLY: Mapping[str, Sequence[str]] = {"rgb": (".",)}


@frozen
class Video:
    """A video by its folder of frames, relative to the root, and what its data set tells of it.

    Args:
        path: the folder.
        place: where the video is named, for messages: `list:line`, or a folder.
        label: 1 live, 0 attack.
        species: `live`, or the attack's; None where it is unknown. So are the others.
    """

    path: str
    place: str
    label: int
    species: str | None
    subject: str | None = None
    group: str | None = None
    session: str | None = None
    device: str | None = None


def gathered(
    where: Path, named: Iterable[tuple[str, Item]], read: Callable[[str, Item], Video]
) -> list[Video]:
    """`read(place, item)` of all.

    Args:
        where: what is being read, for messages.
        named: (place, item) of each video.
        read: raises ValueError, saying why it cannot.

    Raises:
        DataError: why any could not be read, all at once; or there are none.
    """
    videos: list[Video] = []
    problems: list[str] = []
    for place, item in named:
        try:
            videos.append(read(place, item))
        except ValueError as error:
            problems.append(f"{place}: {error}")
    refuse(where, problems)
    if not videos:
        raise DataError(f"{where}: no videos of this split or protocol")
    return videos


def frame_table(
    videos: Sequence[Video], split: str, root: Path, folders: Mapping[str, Sequence[str]] = COLOUR_ONLY
) -> SampleTable:
    """The frames of videos, in the given order of videos, each by number; `id` is the path less its suffix.

    Args:
        videos: of one split.
        split: its name.
        root: what the videos' folders are relative to.
        folders: `{modality: what its folder in the video's may be called}`; a moment that only some
            modalities have an image of lacks the others.

    Raises:
        DataError: videos have no frames, or frames have the same name; or there are only video files.
    """
    rows: list[tuple[Video, str, dict[str, str]]] = []
    problems: list[str] = []
    faceless, before = set(_faceless(root)), set[str]()
    for video in videos:
        if video.path in before:
            problems.append(f"{video.place}: {video.path} is named before")
            continue
        before.add(video.path)
        try:
            frames = frames_in(root / video.path, folders)
        except ValueError as error:
            problems.append(f"{video.place}: {error}")
            continue
        rows += [(video, name, frames[name]) for name in sorted(frames, key=_order)]
        if not frames and video.path not in faceless:
            problems.append(f"{video.place}: no frames in {root / video.path}")
    if not rows:
        _refuse_video_files(videos, root)
    refuse(root, problems)
    if not rows:
        raise DataError(f"{root}: no frames of the {split!r} split")
    modalities = [modality for modality in folders if any(modality in images for _, _, images in rows)]
    return SampleTable.of(
        {
            "id": [f"{video.path}/{name}" for video, name, _ in rows],
            "split": [split] * len(rows),
            "video": [video.path for video, _, _ in rows],
            "frame": [_number(name) for _, name, _ in rows],
            **{column: [getattr(video, column) for video, _, _ in rows] for column in TOLD},
            **{
                modality: [
                    f"{video.path}/{images[modality]}" if modality in images else None
                    for video, _, images in rows
                ]
                for modality in modalities
            },
        },
        modalities=modalities,
        root=root,
    )


def frames_in(video: Path, folders: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """`{name without suffix: {modality: path below the video's folder}}`.

    Raises:
        ValueError: two images differ in nothing but the suffix.
    """
    frames: dict[str, dict[str, str]] = {}
    for modality, names in folders.items():
        folder = next((name for name in names if (video / name).is_dir()), None)
        for image in sorted(_images(video / folder)) if folder else ():
            images = frames.setdefault(image.rpartition(".")[0], {})
            path = image if folder == "." else f"{folder}/{image}"
            if modality in images:
                raise ValueError(f"{video}: {images[modality]} and {path} are one frame: keep one of them")
            images[modality] = path
    return frames


def videos_in(folder: Path) -> list[str]:
    """Names of the videos in a folder: of those with a folder of frames, and of video files without."""
    if not folder.is_dir():
        return []
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    return sorted(
        {entry.name for entry in entries if entry.is_dir()}
        | {entry.stem for entry in entries if entry.is_file() and is_video(entry.name)}
    )


def faceless_notes(root: Path) -> tuple[str, ...]:
    """What is left out of a folder of crops, in a line; nothing where all videos have crops."""
    gone = [video for video in dict.fromkeys(_faceless(root)) if not (root / video).is_dir()]
    if not gone:
        return ()
    count = "1 video is" if len(gone) == 1 else f"{len(gone)} videos are"
    return (f"{count} left out, as no frame of them has a face: {format_list(sorted(gone))}",)


def _faceless(root: Path) -> Iterator[str]:
    """The videos of frames in which `fas data crop` found no face."""
    if (root / NO_FACE).is_file():
        yield from (line.rpartition("/")[0] for line in read_lines(root / NO_FACE) if line)


def _refuse_video_files(videos: Sequence[Video], root: Path) -> None:
    for folder in dict.fromkeys((root / video.path).parent for video in videos):
        if folder.is_dir() and any(is_video(entry.name) for entry in folder.iterdir()):
            raise DataError(
                f"{folder}: holds videos, and no frames: run `fas data frames {root} FRAMES` and read FRAMES"
            )


def _images(folder: Path) -> Iterator[str]:
    return (entry.name for entry in folder.iterdir() if is_image(entry.name))


def _number(name: str) -> int | None:
    """`frame_0012` -> 12."""
    digits = re.search(r"[0-9]{1,9}$", name)
    return int(digits[0]) if digits else None


def _order(name: str) -> tuple[int, str]:
    return _number(name) or 0, name
