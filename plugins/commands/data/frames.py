"""Frames of videos as images: a folder a video, laid out as the videos are, resumable.

`a/b.mov` becomes `a/b/0001.jpg`, ...: a file's number is the frame's in its video, from 1.
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

from fas_core.atomic import replacing
from fas_core.console import console
from fas_core.data.images import encode
from fas_core.data.open import match_layouts
from fas_core.data.parallel import ordered
from fas_core.data.text_lists import is_image, is_video
from fas_core.data.video import opened
from fas_core.errors import DataError, format_list
from fas_core.registry import Registry
from fas_plugins.commands.data.crop import MANIFEST, copy_lists

SETTINGS, UNREADABLE = "frames.json", "unreadable.txt"
CUT_OFF = 0.9


@frozen
class FrameSettings:
    """Which frames are taken, and as what they are written.

    Args:
        every: each n-th frame, beginning with the first; or
        per_video: that many of each video, evenly spread; all of a video that has fewer.
        format: `jpg` (quality 95) or `png`.
    """

    every: int | None = field(default=None, validator=v.optional(v.ge(1)))
    per_video: int | None = field(default=None, validator=v.optional(v.ge(1)))
    format: Literal["jpg", "png"] = field(default="jpg", validator=v.in_(("jpg", "png")))

    def chosen(self, total: int) -> Sequence[int]:
        """The frames to take of `total`, from 0, ascending.

        >>> FrameSettings(per_video=3).chosen(12)
        [2, 6, 10]
        """
        if self.per_video is None:
            return range(0, sys.maxsize, self.every or 1)
        count = min(self.per_video, total)
        return [(2 * place + 1) * total // (2 * count) for place in range(count)]


@frozen
class Extracted:
    """What a job left.

    Args:
        videos: how many have frames.
        frames: how many frames there are.
        kept: videos that had frames before.
        unreadable: `{video: why it has no frames}`.
    """

    videos: int
    frames: int
    kept: int
    unreadable: dict[str, str]


def extract(
    source: Path, destination: Path, settings: FrameSettings, workers: int, registry: Registry
) -> Extracted:
    """Write frames of all videos below `source`; those of a video appear at once or not at all.

    A video that cannot be read is listed in `unreadable.txt`, and the others are done. What was done before
    is kept. `manifest.csv` has the columns id, video, frame and path. List files of a known layout are
    copied along, so that the frames are a root of it.

    Raises:
        DataError: there are no videos, two would have one folder, or `destination` lies within `source`,
            holds frames by other settings, or anything else.
        FasError: the destination cannot be written.
    """
    if destination.resolve().is_relative_to(source.resolve()):
        raise DataError(f"{destination}: lies within {source}, which is searched: choose another folder")
    folders = folders_of(source)
    _begin(destination, settings)
    for layout in match_layouts(source, registry):
        copy_lists(layout.markers, source, destination)

    def work(video: str) -> str:
        try:
            with replacing(destination / folders[video]) as temporary:
                temporary.mkdir()
                return write_frames(source / video, temporary, settings)
        except DataError as error:
            unreadable[video] = error.message
            return ""

    unreadable: dict[str, str] = {}
    missing = [video for video, folder in folders.items() if not (destination / folder).is_dir()]
    with console.progress("extracting", len(missing)) as bar:
        for video, warning in zip(missing, ordered(work, missing, workers), strict=True):
            if warning:
                console.warn(f"{source / video}: {warning}")
            bar.advance()
    written = [folder for video, folder in folders.items() if video not in unreadable]
    reasons = {video: unreadable[video] for video in folders if video in unreadable}
    frames = _write_manifest(destination, written)
    _write_text(destination / UNREADABLE, (f"{video}: {why}" for video, why in reasons.items()))
    return Extracted(len(written), frames, len(folders) - len(missing), reasons)


def folders_of(source: Path) -> dict[str, str]:
    """`{video: the folder of its frames}`, both relative, of all videos below a folder.

    Raises:
        DataError: there are none, or one's folder would hold another's frames.
    """
    if not source.is_dir():
        raise DataError(f"{source}: no such folder")
    found = sorted(path.relative_to(source) for path in source.rglob("*") if is_video(path.name))
    if not found:
        raise DataError(f"{source}: no videos in this folder")
    folders = {video.as_posix(): video.with_suffix("") for video in found}
    taken = Counter(folders.values())
    several = {folder for folder, count in taken.items() if count > 1}
    several |= {parent for folder in taken for parent in folder.parents if parent in taken}
    if several:
        raise DataError(
            f"{source}: more than one video would have its frames in "
            f"{format_list(sorted(several))}: rename one"
        )
    return {video: folder.as_posix() for video, folder in folders.items()}


def write_frames(video: Path, folder: Path, settings: FrameSettings) -> str:
    """Write the chosen frames of one video into an empty folder.

    Returns:
        what deserves a look, e.g. that the video ends too soon; nothing if all is well.

    Raises:
        DataError: it cannot be opened or has no frame that can be decoded.
    """
    promised = _promised(video)
    total = promised if promised > 0 else _write(video, folder, (), settings)
    chosen = settings.chosen(total)
    read = _write(video, folder, chosen, settings)
    if read and settings.per_video and read <= chosen[-1]:  # the file's header promised more than there is
        for frame in folder.iterdir():
            frame.unlink()
        _write(video, folder, settings.chosen(read), settings)
    if not read:
        raise DataError("no frame of it can be decoded")
    # Some containers only estimate how many frames they have.
    cut_off = read < CUT_OFF * promised and not (settings.per_video and read > chosen[-1])
    return f"cut off after {read} of {promised} frames; those are used" if cut_off else ""


def _promised(video: Path) -> int:
    """How many frames the file's header says there are; 0 or less where it does not."""
    with opened(video) as capture:
        return int(capture.get(cv2.CAP_PROP_FRAME_COUNT))


def _write(video: Path, folder: Path, chosen: Sequence[int], settings: FrameSettings) -> int:
    """Write these frames and read no further; of none, read to the end. How many frames were read."""
    read = 0
    with opened(video) as capture:
        while (not chosen or read <= chosen[-1]) and capture.grab():
            if read in chosen:
                decoded, image = capture.retrieve()
                if not decoded:
                    break
                content = encode(
                    np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8), f".{settings.format}"
                )
                (folder / f"{read + 1:04}.{settings.format}").write_bytes(content)
            read += 1
    return read


def _begin(destination: Path, settings: FrameSettings) -> None:
    """Note the settings in a new folder.

    Raises:
        DataError: the folder is there, and not of frames by these settings.
    """
    note, text = destination / SETTINGS, json.dumps(asdict(settings)) + "\n"
    if note.is_file():
        if (was := note.read_text(encoding="utf-8")) != text:
            raise DataError(
                f"{destination}: has frames by {was.strip()}: do the same or choose another folder"
            )
    elif destination.is_dir() and next(destination.iterdir(), None):
        raise DataError(f"{destination}: is not empty, and not of frames: choose another folder")
    else:
        _write_text(note, [text.strip()])


def _write_manifest(destination: Path, folders: Iterable[str]) -> int:
    """List all frames; how many there are."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "video", "frame", "path"))
    rows = [row for folder in folders for row in _rows(destination, folder)]
    writer.writerows(rows)
    with replacing(destination / MANIFEST) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
    return len(rows)


def _rows(destination: Path, folder: str) -> Iterator[tuple[str, str, int, str]]:
    names = [entry.name for entry in (destination / folder).iterdir() if is_image(entry.name)]
    for name in sorted(names, key=lambda name: (len(name), name)):
        stem = name.rpartition(".")[0]
        yield f"{folder}/{stem}", folder, int(stem), f"{folder}/{name}"


def _write_text(path: Path, lines: Iterable[str]) -> None:
    with replacing(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
