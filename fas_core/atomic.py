"""Atomic, durable writing: a file appears whole or not at all, also after a kill or a power cut.

A file is written to a hidden folder beside its destination, synced to the disk, and renamed; then the folder
of the destination is synced. A killed process leaves its hidden folder, which the next process that writes
there removes.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from fas_core.errors import FasError
from fas_core.names import replace_surrogates

if (
    sys.platform != "win32"
):  # which has no such locks: abandoned folders stay there until someone removes them
    import fcntl

PREFIX, SUFFIX = ".fas-", ".part"
"""Start and end of the name of a folder of temporary files; what is between is not predictable."""

_DEVICE_LINKS = ("/dev/", "/proc/")
"""Where links to open files and pipes are, such as /dev/stdout."""


@contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path of the same name; rename it to `path` on success, remove it on failure.

    Parent folders are made. The block may make the temporary path a file, or a folder if there is no `path`.
    `durable=False` leaves syncing to the operating system: for many files that can be written again.

    Raises:
        FasError: the disk is full or read-only, or the folder cannot be written.
    """
    with replacing_all(path, durable=durable) as (temporary,):
        yield temporary


@contextmanager
def replacing_all(*paths: Path, durable: bool = True) -> Iterator[tuple[Path, ...]]:
    """Like `replacing`, for files of one folder: all are complete before the first is renamed."""
    parent = Path(tempfile.gettempdir()) if _is_device(paths[0]) else paths[0].parent
    with ExitStack() as stack:
        with _explain_errors(paths[0], parent):
            make_folder(parent, durable)
            folder = stack.enter_context(_temporary_folder(parent))
        temporaries = tuple(folder / path.name for path in paths)
        with _explain_errors(paths[0], folder):
            yield temporaries
            for temporary in temporaries if durable else ():
                _sync_tree(temporary)
            for temporary, path in zip(temporaries, paths, strict=True):
                _move(temporary, path)
            if durable:
                _sync(parent)


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8, names that are none as `fas_core.names` says; raises as `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(replace_surrogates(text), encoding="utf-8", newline="\n")


def sync_disk() -> None:
    """Sync all that was written with `durable=False`: for many files this is far faster than one by one.

    Linux waits for the disks; macOS only starts to write, and Windows has no such call.
    """
    if sys.platform != "win32":
        os.sync()


def is_temporary(name: str) -> bool:
    """Return whether a name is that of a folder of temporary files, of this process or of a killed one."""
    return name.startswith(PREFIX) and name.endswith(SUFFIX)


def _is_device(path: Path) -> bool:
    """Return whether a path is a device or a pipe, such as /dev/stdout, which takes bytes and stays.

    A link to one elsewhere than where the system has such links is replaced: a stranger may have left it.
    """
    if path.is_symlink():
        return path.exists() and str(path).startswith(_DEVICE_LINKS)
    return path.exists() and not path.is_file() and not path.is_dir()


def _move(temporary: Path, path: Path) -> None:
    if _is_device(path):
        # A pipe that nobody reads is an error, not waited for; what a shell has appended to stays.
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "wb") as device:
            os.set_blocking(descriptor, True)
            device.write(temporary.read_bytes())
    else:
        temporary.replace(path)


def make_folder(folder: Path, durable: bool = True) -> None:
    """Make a folder and its parents; a new folder is on the disk when its parent is synced."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing if durable else ():
        _sync(path.parent)


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield a folder for the block, below `parent` or where the system keeps temporary files.

    It is removed after the block; that of a killed process by the next process that makes one there.

    Raises:
        FasError: it cannot be made.
    """
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    with ExitStack() as stack:
        with _explain_errors(parent, parent):
            folder = stack.enter_context(_temporary_folder(parent))
        yield folder


@contextmanager
def _temporary_folder(parent: Path) -> Iterator[Path]:
    folder, lock = make_temporary_folder(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def make_temporary_folder(parent: Path) -> tuple[Path, int | None]:
    """Make a folder that only this user can open, and lock it; remove the folders of killed processes."""
    _remove_abandoned(parent)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, suffix=SUFFIX, dir=parent))
        if sys.platform == "win32":
            return folder, None
        lock = _lock(folder)
        if lock is not None and folder.exists():
            return folder, lock
        if lock is not None:  # another process took it for abandoned before it was locked
            os.close(lock)


@cache
def _remove_abandoned(parent: Path) -> None:
    """Remove, once a process, the temporary folders whose process has ended: nobody holds their locks."""
    if sys.platform == "win32":
        return
    with os.scandir(parent) as entries:
        names = [entry.name for entry in entries if is_temporary(entry.name)]
    for folder in [parent / name for name in names]:
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """Return a descriptor that locks the folder until it is closed; None if another process has locked it."""
    if sys.platform == "win32":
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # a link, or removed in the meantime
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _sync_tree(path: Path) -> None:
    """Sync a file, or a folder with all that is in it, to the disk."""
    for parent, _, names in os.walk(path):
        for name in names:
            _sync(Path(parent, name))
        _sync(Path(parent))
    if path.is_file():
        _sync(path)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # Windows cannot open folders, and journals its renames
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explain_errors(path: Path, temporary: Path) -> Iterator[None]:
    """Raise FasError for an error about writing `path`, not about something else that the block does."""
    try:
        yield
    except (ConnectionError, ChildProcessError):
        raise
    except OSError as error:
        file = temporary if error.filename is None else Path(os.fsdecode(error.filename))
        if file not in (path, temporary, path.parent) and temporary not in file.parents:
            raise
        raise FasError(f"{path}: cannot be written: {error.strerror or error}") from error
