"""Listing a folder: its images and videos, and what is left out, so that no file is lost without a word.

Files of known endings are not opened. A file of another ending, or of none, is looked into, and counts as
what its first bytes say. Hidden files and folders, and what file managers write (`Thumbs.db`, `__MACOSX/`),
are no data and are not counted. A folder is a folder whatever its name: `clip.mp4/` is one of frames.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from attrs import frozen

from fas_core.data.file_formats import HEADER_BYTES, RAW_SUFFIXES, FileKind, identify_format
from fas_core.data.text_lists import NO_FACE, is_image, is_video
from fas_core.errors import DataError
from fas_core.names import from_file_system

UNREADABLE = "unreadable.txt"
"""File beside crops or frames: what could not be read, and why."""

OWN_FILES = {"crops.jsonl", "frames.json", "manifest.csv", NO_FACE, UNREADABLE}
"""What `fas data crop` and `fas data frames` write beside images."""

NOISE = {
    *OWN_FILES,
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "__pycache__", "@eadir", "#recycle"),
    *("$recycle.bin", "system volume information", "lost+found"),
}
"""Names, in lower case, that are not counted; nor are names that begin with a dot."""

UNDECODABLE_SUFFIXES = (
    *RAW_SUFFIXES,
    ".heic",
    ".heif",
    ".hif",
    ".jxl",
    ".psd",
    ".exr",
    ".hdr",
    ".pfm",
    ".svg",
)


@frozen
class Listing:
    """The files below a folder, each a path relative to it with `/`, in the order of folders and names.

    Args:
        images: files that are read as images.
        videos: files that are read as videos.
        undecodable: images of formats that are not decoded (HEIC, raw files of cameras), and files that
            cannot be opened to see what they are. A gate must not pass them by.
        others: files that are neither.
    """

    images: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    undecodable: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """All files but images and videos: give them to `describe_left_out`."""
        return (*self.undecodable, *self.others)


@runtime_checkable
class ListsFolder(Protocol):
    """What a data set reader has beside its contract if it reads all images below its root.

    Its `notes` describe what it leaves out; `fas data check` has a problem with what is undecodable.
    """

    @property
    def listing(self) -> Listing:
        """The files below the root of the data set."""


def list_files(folder: Path, *, recursive: bool = True) -> Listing:
    """List the files of a folder and of those below it; links to folders are followed.

    Raises:
        DataError: a folder does not exist or cannot be read.
    """
    paths: dict[FileKind, list[str]] = {kind: [] for kind in FileKind}
    for path in sorted(_walk(folder, recursive, "", ()), key=lambda path: path.split("/")):
        paths[classify_file(folder / path)].append(path)
    return Listing(
        images=tuple(paths[FileKind.IMAGE]),
        videos=tuple(paths[FileKind.VIDEO]),
        undecodable=tuple(paths[FileKind.UNDECODABLE]),
        others=tuple(paths[FileKind.OTHER]),
    )


def classify_file(path: Path) -> FileKind:
    """Return what a file is by its ending, or by its first bytes where the ending does not say it."""
    if is_image(path.name):
        return FileKind.IMAGE
    if is_video(path.name):
        return FileKind.VIDEO
    if path.name.lower().endswith(RAW_SUFFIXES):
        return FileKind.UNDECODABLE
    if not path.is_file():  # a link to nothing, a pipe or a socket
        return FileKind.OTHER
    try:
        with path.open("rb") as stream:
            kind = identify_format(stream.read(HEADER_BYTES)).kind
    except OSError:
        return FileKind.UNDECODABLE
    is_undecodable = kind is FileKind.OTHER and path.name.lower().endswith(UNDECODABLE_SUFFIXES)
    return FileKind.UNDECODABLE if is_undecodable else kind


def describe_left_out(paths: Iterable[str]) -> str:
    """Return what to say of files that are left out, the most frequent ending first; empty if there are none.

    >>> describe_left_out(["a.heic", "b/c.HEIC", "notes.txt"])
    '3 files left out: 2 .heic, 1 .txt'
    """
    counts = Counter(Path(path).suffix.lower() or "without ending" for path in paths)
    if not counts:
        return ""
    total = counts.total()
    endings = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    files = "1 file" if total == 1 else f"{total} files"
    return f"{files} left out: " + ", ".join(f"{count} {ending}" for ending, count in endings)


def is_noise(name: str) -> bool:
    """Whether a file or folder is hidden, or what a file manager or `fas` itself writes beside the data."""
    return name.startswith(".") or name.lower() in NOISE


def _walk(folder: Path, recursive: bool, prefix: str, parents: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Yield the paths of all files; a link to a folder above itself is not followed."""
    try:
        status = folder.stat()
        with os.scandir(folder) as entries:
            kinds = [(from_file_system(entry.name), entry.is_dir()) for entry in entries]
    except FileNotFoundError:
        raise DataError(f"{folder}: no such folder") from None
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from error
    identity = (status.st_dev, status.st_ino)
    if identity in parents:
        return
    for name, is_folder in kinds:
        if is_noise(name):
            continue
        if not is_folder:
            yield f"{prefix}{name}"
        elif recursive:
            yield from _walk(folder / name, recursive, f"{prefix}{name}/", (*parents, identity))
