"""Zip archives whose images are read where they lie: `zip://faces/1.png::photos.zip`.

fsspec opens such URLs too, but reads an archive's list of files again for each image. Here an archive stays
open in each process.

An archive of a stranger costs little, whatever it says of itself: its list of files is at most `MAX_LIST`
bytes, and of a file no more is unpacked than it says to have, which has the limit of all images. Files are
stored or deflated, as zip programs write them: other methods of compression may ask for gigabytes.
"""

from __future__ import annotations

import os
import struct
import weakref
import zlib
from collections.abc import Callable
from functools import cache, lru_cache
from math import inf
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from attrs import define, field, frozen

from fas_core.data.files import describe_failure, open_file
from fas_core.errors import DataError, FasError
from fas_core.urls import ZIP, Location, Url, split_archive

MAX_LIST = 1 << 27
"""Bytes of the list of files in an archive. A million names take less; in memory it is ten times as large."""

MAX_OPEN = 8
"""Archives that a process keeps open."""

_DAMAGES = (BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError)
"""What the standard library raises for a file that is damaged, encrypted or of a foreign kind."""


@define
class _Stream:
    """The bytes of an archive, no more than `limit` of which are read at once."""

    name: str
    file: BinaryIO
    limit: float

    def read(self, size: int = -1) -> bytes:
        if size > self.limit:
            raise BadZipFile(f"its list of files has {size} bytes, more than {self.limit}: divide it")
        try:
            return self.file.read(size)
        except Exception as error:  # every file system has errors of its own, which are not the image's
            raise FasError(f"{self.name}: cannot be read: {describe_failure(error)}") from None

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self.file.seek(offset, whence)
        except (OSError, OverflowError) as error:
            if whence != os.SEEK_SET:  # the standard library looks for what may not be there
                raise
            raise BadZipFile(f"it says that a file begins at {offset}") from error

    def tell(self) -> int:
        return self.file.tell()

    def seekable(self) -> bool:
        return self.file.seekable()


@frozen(eq=False)
class Archive:
    """An open archive, with those methods of fsspec's file systems that read a file. Threads may share it."""

    name: str
    files: ZipFile
    lock: Lock = field(factory=Lock)

    def cat_file(self, path: str, end: int) -> bytes:
        """Return a file.

        Raises:
            FileNotFoundError: there is none of the name.
            DataError: it has `end` bytes or more, is damaged or encrypted, or compressed by another method.
            FasError: the archive cannot be read.
        """
        file, address = self._find(path), f"{ZIP}{path}::{self.name}"
        if file.file_size >= end:
            raise DataError(f"{address}: more than {end >> 20} MB: no image is that large")
        if file.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise DataError(f"{address}: is compressed by another method than deflate: pack the archive anew")
        try:
            with self.lock:  # the archive counts the files that are open
                stream = self.files.open(path)
            try:
                return stream.read(file.file_size)
            finally:
                with self.lock:
                    stream.close()
        except _DAMAGES as error:
            raise DataError(f"{address}: cannot be unpacked: {describe_failure(error)}") from None

    def size(self, path: str) -> int:
        """Return the size of a file in bytes; raise FileNotFoundError where there is none of the name."""
        return self._find(path).file_size

    def info(self, path: str) -> dict[str, Any]:
        """Return `type`, `file` or `directory`; raise FileNotFoundError where there is none of the name."""
        return {"type": "directory" if self._find(path).is_dir() else "file"}

    def _find(self, path: str) -> ZipInfo:
        try:
            return self.files.getinfo(path)
        except KeyError:
            raise FileNotFoundError(path) from None


def open_archive(location: Location, open_url: Callable[[Url], BinaryIO]) -> Archive:
    """Return the archive at a path or URL, which stays open in this process while it is the same file.

    `open_url` opens a URL; it raises FasError.

    Raises:
        FasError: it is missing, no zip archive, within another archive, or its list of files is too large.
    """
    version = None
    if isinstance(location, Path):
        try:
            status = location.stat()
        except OSError as error:
            raise FasError(f"{location}: the archive cannot be read: {error.strerror}") from None
        version = (status.st_ino, status.st_size, status.st_mtime_ns)
    process = os.getpid()
    with _lock(process):
        return _open(process, location, version, open_url)


@cache
def _lock(_: int) -> Lock:
    """Return the lock of a process, by its id: one that was forked does not wait for threads of the other."""
    return Lock()


@lru_cache(MAX_OPEN)
def _open(_: int, location: Location, __: object, open_url: Callable[[Url], BinaryIO]) -> Archive:
    """Open an archive for a process, by its id: a forked one would move the other's position in the file."""
    if split_archive(location) is not None:
        raise FasError(f"{location}: is an archive within an archive: unpack the outer one")
    file = open_url(location) if isinstance(location, Url) else open_file(location)
    stream = _Stream(str(location), file, MAX_LIST)
    try:
        archive = Archive(stream.name, ZipFile(stream))
    except FasError:
        file.close()
        raise
    except _DAMAGES as error:
        file.close()
        raise FasError(f"{location}: not a zip archive, or damaged: {describe_failure(error)}") from None
    stream.limit = inf
    weakref.finalize(archive, file.close)
    return archive
