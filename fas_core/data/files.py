"""Opening a file that someone else named: a pipe, a socket or a device is none."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from fas_core.errors import DataError
from fas_core.urls import hide_in_text

MAX_BYTES = 1 << 30
"""Larger files are refused as images: `MAX_PIXELS` take less, even uncompressed."""

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading bytes; one that blocks, or never ends, is not waited for.

    Raises:
        DataError: the path is a pipe, a socket, a device or a folder, or no name of a file.
        OSError: it is missing, or cannot be opened.
    """
    try:
        mode = path.stat().st_mode
        if kind := _KINDS.get(stat.S_IFMT(mode)):
            raise DataError(f"{path}: cannot be read: {kind}, not a file")
        # Not to wait for the writer of a pipe that has taken the file's place since.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a null character
        raise DataError(f"{path}: cannot be read: not the name of a file ({error})") from None
    return os.fdopen(descriptor, "rb")


def describe_failure(error: Exception) -> str:
    """Return an error of a library that reads files as one line, without the credentials of URLs."""
    return hide_in_text(" ".join((str(error) or type(error).__name__).split()))
