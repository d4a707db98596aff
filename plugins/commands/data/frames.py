"""Write frames of videos as images: a folder for each video, laid out as the videos are, resumable.

`a/b.mov` becomes `a/b/0001.jpg`, ...: the number is that of the frame in its video, from 1.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from attrs import asdict, field, frozen
from attrs import validators as v

from fas_core.atomic import is_temporary, replacing, write_text
from fas_core.console import console
from fas_core.data.images import encode
from fas_core.data.listing import UNREADABLE, Listing, describe_left_out, list_files
from fas_core.data.open import match_layouts
from fas_core.data.parallel import ordered
from fas_core.data.text_lists import is_image
from fas_core.data.video import opened
from fas_core.errors import DataError, format_list
from fas_core.names import to_text
from fas_core.registry import Registry
from fas_core.text_files import read_text, shorten
from fas_plugins.commands.data.sidecars import MANIFEST, copy_lists, write_lines

SETTINGS = "frames.json"

MIN_READABLE = 0.9
"""A video counts as cut off below this share of readable frames: some headers only estimate their number."""


@frozen
class FrameSettings:
    """Which frames are written, and in which format.

    Args:
        every: every n-th frame, from the first one; or
        per_video: so many frames of each video, evenly spread; all frames of a video that has fewer.
        format: `jpg` (quality 95) or `png`.
    """

    every: int | None = field(default=None, validator=v.optional(v.ge(1)))
    per_video: int | None = field(default=None, validator=v.optional(v.ge(1)))
    format: Literal["jpg", "png"] = field(default="jpg", validator=v.in_(("jpg", "png")))

    def select_frames(self, total: int) -> Sequence[int]:
        """Return the indices of the frames to write, from 0, ascending, of a video of `total` frames.

        >>> FrameSettings(per_video=3).select_frames(12)
        [2, 6, 10]
        """
        if self.per_video is None:
            return range(0, sys.maxsize, self.every or 1)
        count = min(self.per_video, total)
        return [(2 * index + 1) * total // (2 * count) for index in range(count)]


@frozen
class ExtractionResult:
    """The result of a job.

    Args:
        videos: number of videos that have frames.
        frames: number of frames.
        skipped: number of videos that an earlier job had finished.
        unreadable: `{video: why it has no frames}`.
        left_out: number of files that are no videos, by ending, as a text.
    """

    videos: int
    frames: int
    skipped: int
    unreadable: dict[str, str]
    left_out: str = ""


def extract_frames(
    source: Path, destination: Path, settings: FrameSettings, workers: int, registry: Registry
) -> ExtractionResult:
    """Write frames of all videos below `source`; a video's folder appears when it is complete.

    Finished videos are skipped. `unreadable.txt` lists the videos that cannot be read, `manifest.csv` the
    frames with the columns id, video, frame and path. List files of a known layout are copied, so that the
    folder of frames has the same layout.

    Raises:
        DataError: there are no videos, two would share a folder, or `destination` lies within `source`,
            holds frames by other settings, or other files.
        FasError: the destination cannot be written.
    """
    if destination.resolve().is_relative_to(source.resolve()):
        raise DataError(f"{destination}: lies within {source}, which is searched: choose another folder")
    listing = list_files(source)
    folders = assign_folders(source, listing)
    _store_settings(destination, settings)
    lists: set[str] = set()
    for layout in match_layouts(source, registry):
        copied = copy_lists(layout.markers, source, destination)
        lists |= {path.relative_to(source).as_posix() for path in copied}
    others = set(listing.images + listing.left_out) - lists

    def extract(video: str) -> str:
        try:
            with replacing(destination / folders[video]) as temporary:
                temporary.mkdir()
                return write_frames(source / video, temporary, settings)
        except DataError as error:
            reasons[video] = error.message
            return ""

    reasons: dict[str, str] = {}
    unfinished = [video for video, folder in folders.items() if not (destination / folder).is_dir()]
    with console.progress("extracting", len(unfinished), "videos") as bar:
        for video, warning in zip(unfinished, ordered(extract, unfinished, workers), strict=True):
            if warning:
                console.warn(f"{source / video}: {warning}")
            bar.advance()
    unreadable = {video: reasons[video] for video in folders if video in reasons}
    written = [folder for video, folder in folders.items() if video not in unreadable]
    frames = _write_manifest(destination, written)
    write_lines(destination / UNREADABLE, (f"{video}: {reason}" for video, reason in unreadable.items()))
    skipped, left_out = len(folders) - len(unfinished), describe_left_out(sorted(others))
    return ExtractionResult(len(written), frames, skipped, unreadable, left_out)


def assign_folders(source: Path, listing: Listing) -> dict[str, str]:
    """Return `{video: folder of its frames}`, both relative, for all videos of a folder.

    Raises:
        DataError: there are no videos, or two would share a folder.
    """
    if not listing.videos:
        left_out = describe_left_out(listing.images + listing.left_out)
        problem = f"{source}: no videos in this folder"
        raise DataError(f"{problem}: {left_out}" if left_out else problem)
    folders = {video: Path(video).with_suffix("") for video in listing.videos}
    counts = Counter(folders.values())
    shared = {folder for folder, count in counts.items() if count > 1}
    shared |= {parent for folder in counts for parent in folder.parents if parent in counts}
    if shared:
        raise DataError(
            f"{source}: more than one video would have its frames in "
            f"{format_list(sorted(shared))}: rename one"
        )
    return {video: folder.as_posix() for video, folder in folders.items()}


def write_frames(video: Path, folder: Path, settings: FrameSettings) -> str:
    """Write the selected frames of one video into an empty folder.

    Returns:
        A warning where the video ends too early, else an empty text.

    Raises:
        DataError: the video cannot be opened, or has no frame that can be decoded.
    """
    expected = _read_frame_count(video)
    total = expected if expected > 0 else _write_selected(video, folder, (), settings)
    selected = settings.select_frames(total)
    count = _write_selected(video, folder, selected, settings)
    if count and settings.per_video and count <= selected[-1]:  # fewer frames than the header says
        for frame in folder.iterdir():
            frame.unlink()
        _write_selected(video, folder, settings.select_frames(count), settings)
    if not count:
        raise DataError("no frame of it can be decoded")
    cut_off = count < MIN_READABLE * expected and not (settings.per_video and count > selected[-1])
    return f"cut off after {count} of {expected} frames; those are used" if cut_off else ""


def _read_frame_count(video: Path) -> int:
    """Return the number of frames in the file's header; 0 or less where it has none."""
    with opened(video) as capture:
        return int(capture.get(cv2.CAP_PROP_FRAME_COUNT))


def _write_selected(video: Path, folder: Path, selected: Sequence[int], settings: FrameSettings) -> int:
    """Write these frames and read up to the last of them, or to the end if none; return the frames read."""
    count = 0
    suffix = f".{settings.format}"
    with opened(video) as capture:
        while (not selected or count <= selected[-1]) and capture.grab():
            if count in selected:
                decoded, image = capture.retrieve()
                if not decoded:
                    break
                pixels = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
                (folder / f"{count + 1:04}{suffix}").write_bytes(encode(pixels, suffix))
            count += 1
    return count


def _store_settings(destination: Path, settings: FrameSettings) -> None:
    """Write the settings into a new folder of frames.

    Raises:
        DataError: the folder has frames by other settings, or other files.
    """
    file, text = destination / SETTINGS, json.dumps(asdict(settings))
    if file.is_file():
        if (used := read_text(file).strip()) != text:
            used = shorten(used, 200)
            raise DataError(f"{destination}: has frames by {used}: use the same settings or another folder")
    elif destination.is_dir() and any(not is_temporary(entry.name) for entry in destination.iterdir()):
        raise DataError(f"{destination}: is not empty, and not of frames: choose another folder")
    else:
        write_lines(file, [text])


def _write_manifest(destination: Path, folders: Iterable[str]) -> int:
    """List all frames in `manifest.csv`; return their number."""
    rows = [row for folder in folders for row in _list_frames(destination, folder)]
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "video", "frame", "path"))
    writer.writerows(rows)
    write_text(destination / MANIFEST, text.getvalue())
    return len(rows)


def _list_frames(destination: Path, folder: str) -> Iterator[tuple[str, str, int, str]]:
    names = [entry.name for entry in (destination / folder).iterdir() if is_image(entry.name)]
    for name in sorted(names, key=lambda name: (len(name), name)):
        stem = name.rpartition(".")[0]
        yield to_text(f"{folder}/{stem}"), to_text(folder), int(stem), to_text(f"{folder}/{name}")
