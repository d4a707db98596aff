"""Data sets of videos, read as one folder of frames per video, as `fas data frames` writes them.

`Train_files/1_1_01_1.avi` becomes `Train_files/1_1_01_1/0001.jpg`, ...; with several modalities each has a
folder of its own inside the video's. Crops from `fas data crop` have the same layout; a video without a
face in any frame may be missing from them, and `no_face.txt` lists it.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

from attrs import field, frozen

from fas_core.data.listing import describe_left_out, is_noise, list_files
from fas_core.data.text_lists import NO_FACE, is_video, read_lines, refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import SampleTable
from fas_plugins.datasets.base import Options, Reader

Item = TypeVar("Item")
Images = dict[str, str]
"""`{modality: path of its image, relative to the video's folder}`."""

VIDEO_COLUMNS = ("label", "species", "subject", "group", "session", "device")


@frozen
class Video:
    """A video's folder of frames, and its metadata; None where it is unknown.

    Args:
        path: the folder, relative to the root.
        location: where the video is named, for messages: `list:line`, or a folder.
        label: 1 live, 0 attack.
        species: `live`, or the attack's.
    """

    path: str
    location: str
    label: int
    species: str | None
    subject: str | None = None
    group: str | None = None
    session: str | None = None
    device: str | None = None


class Frame(NamedTuple):
    """One frame of a video, by the name of its images without their suffix."""

    video: Video
    name: str
    images: Images


@frozen
class VideoReader(Reader[Options]):
    """Base class of readers of videos: a subclass lists the videos of a split."""

    modality_folders: ClassVar[Mapping[str, Sequence[str]]] = {"rgb": (".",)}
    """`{modality: possible names of its folder in a video's}`; `.` is the video's folder itself."""

    _left_out: dict[str, tuple[str, ...]] = field(factory=dict, init=False, repr=False, eq=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """Files among the frames of the splits read so far that are no images; videos without faces."""
        left_out = describe_left_out(path for paths in self._left_out.values() for path in paths)
        return (*((left_out,) if left_out else ()), *self._describe_no_face())

    def _describe_no_face(self) -> tuple[str, ...]:
        """Describe the videos that a folder of crops lacks because no frame of them has a face."""
        videos = dict.fromkeys(_list_no_face_videos(self.root))
        missing = sorted(video for video in videos if not (self.root / video).is_dir())
        if not missing:
            return ()
        count = "1 video is" if len(missing) == 1 else f"{len(missing)} videos are"
        return (f"{count} left out, as no frame of them has a face: {format_list(missing)}",)

    @abstractmethod
    def _list_videos(self, split: str) -> Sequence[Video]:
        """Return the videos of a split, in order."""

    def _read(self, split: str) -> SampleTable:
        left_out: list[str] = []
        table = build_frame_table(self._list_videos(split), split, self.root, self.modality_folders, left_out)
        self._left_out[split] = tuple(left_out)
        return table


def parse_videos(
    source: Path, items: Iterable[tuple[str, Item]], parse: Callable[[str, Item], Video]
) -> list[Video]:
    """Parse every item, and report all failures at once.

    Args:
        source: the list or folder that is read, for messages.
        items: (location, item) of each video.
        parse: turns (location, item) into a video; raises ValueError with the reason if it cannot.

    Raises:
        DataError: items cannot be parsed, all of which are named; or there are no items.
    """
    videos: list[Video] = []
    problems: list[str] = []
    for location, item in items:
        try:
            videos.append(parse(location, item))
        except ValueError as error:
            problems.append(f"{location}: {error}")
    refuse(source, problems)
    if not videos:
        raise DataError(f"{source}: no videos of this split or protocol")
    return videos


def build_frame_table(
    videos: Sequence[Video],
    split: str,
    root: Path,
    modality_folders: Mapping[str, Sequence[str]],
    left_out: list[str] | None = None,
) -> SampleTable:
    """Build the table of all frames: videos in the given order, the frames of each by number.

    `id` is the path of a frame without suffix.

    Args:
        videos: of one split.
        split: its name.
        root: the folder that the videos' paths are relative to.
        modality_folders: as of `VideoReader`. A frame may lack the images of some modalities.
        left_out: the paths of files that are no images are added to it.

    Raises:
        DataError: a video has no frames, two frames of one name or one that cannot be decoded, or there are
            only video files.
    """
    frames, problems = _list_frames(videos, root, modality_folders, [] if left_out is None else left_out)
    if not frames:
        _refuse_video_files(videos, root)
    refuse(root, problems)
    if not frames:
        raise DataError(f"{root}: no frames of the {split!r} split")
    modalities = [name for name in modality_folders if any(name in frame.images for frame in frames)]
    return SampleTable.of(
        {
            "id": [f"{frame.video.path}/{frame.name}" for frame in frames],
            "split": [split] * len(frames),
            "video": [frame.video.path for frame in frames],
            "frame": [_parse_number(frame.name) for frame in frames],
            **{column: [getattr(frame.video, column) for frame in frames] for column in VIDEO_COLUMNS},
            **{modality: [_image_path(frame, modality) for frame in frames] for modality in modalities},
        },
        modalities=modalities,
        root=root,
    )


def list_video_names(folder: Path) -> list[str]:
    """Return the sorted names of a folder's videos: folders of frames, and video files without suffix."""
    if not folder.is_dir():
        return []
    entries = [entry for entry in folder.iterdir() if not is_noise(entry.name)]
    return sorted(
        {entry.name for entry in entries if entry.is_dir()}
        | {entry.stem for entry in entries if entry.is_file() and is_video(entry.name)}
    )


def _list_frames(
    videos: Sequence[Video], root: Path, modality_folders: Mapping[str, Sequence[str]], left_out: list[str]
) -> tuple[list[Frame], list[str]]:
    """Return the frames of all videos, and the problems of videos that are repeated or without frames."""
    frames: list[Frame] = []
    problems: list[str] = []
    no_face, seen = set(_list_no_face_videos(root)), set[str]()
    for video in videos:
        try:
            if video.path in seen:
                raise ValueError(f"{video.path} is listed before")
            seen.add(video.path)
            images = _list_images(root / video.path, modality_folders, left_out)
            if not images and video.path not in no_face:
                raise ValueError(f"no frames in {root / video.path}")
        except ValueError as error:
            problems.append(f"{video.location}: {error}")
        else:
            frames += [Frame(video, name, images[name]) for name in sorted(images, key=_frame_order)]
    return frames, problems


def _list_images(
    video: Path, modality_folders: Mapping[str, Sequence[str]], left_out: list[str]
) -> dict[str, Images]:
    """Return `{frame name: its images}` of a video, and add the other files to `left_out`.

    Raises:
        ValueError: the names of two images of a modality differ only in the suffix, or an image cannot be
            decoded.
    """
    frames: dict[str, Images] = {}
    for modality, candidates in modality_folders.items():
        folder = next((name for name in candidates if (video / name).is_dir()), None)
        if folder is None:
            continue
        listing = list_files(video / folder, recursive=False)
        if listing.undecodable:
            raise ValueError(f"{video / folder}: cannot be decoded: {format_list(listing.undecodable)}")
        left_out += [*listing.videos, *listing.others]
        for image in listing.images:
            images = frames.setdefault(image.rpartition(".")[0] or image, {})
            path = image if folder == "." else f"{folder}/{image}"
            if modality in images:
                raise ValueError(f"{video}: {images[modality]} and {path} are one frame: keep one of them")
            images[modality] = path
    return frames


def _list_no_face_videos(root: Path) -> Iterator[str]:
    """Yield the videos with frames in which `fas data crop` found no face."""
    if (root / NO_FACE).is_file():
        yield from (line.rpartition("/")[0] for line in read_lines(root / NO_FACE) if line)


def _refuse_video_files(videos: Sequence[Video], root: Path) -> None:
    for folder in dict.fromkeys((root / video.path).parent for video in videos):
        if folder.is_dir() and any(is_video(entry.name) and entry.is_file() for entry in folder.iterdir()):
            raise DataError(
                f"{folder}: holds videos but no frames: run `fas data frames {root} FRAMES` and read FRAMES"
            )


def _image_path(frame: Frame, modality: str) -> str | None:
    image = frame.images.get(modality)
    return None if image is None else f"{frame.video.path}/{image}"


def _parse_number(name: str) -> int | None:
    """Return the number at the end of a frame's name: `frame_0012` -> 12."""
    digits = re.search(r"[0-9]{1,9}$", name)
    return int(digits[0]) if digits else None


def _frame_order(name: str) -> tuple[int, str]:
    return _parse_number(name) or 0, name
