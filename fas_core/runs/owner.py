"""One process at a time writes a run: the folder's `owner.json` is locked, and says by whom.

The lock is the operating system's, of the kind that ends with its process and that NFS knows, too (POSIX,
`fcntl`). The file is there while the folder is in use; a killed process leaves it without the lock.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import wraps
from itertools import chain, count
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from fas_core.atomic import make_folder
from fas_core.console import console
from fas_core.errors import FasError
from fas_core.runs import files
from fas_core.runs.groups import is_main_process
from fas_core.text_files import read_json

if sys.platform != "win32":  # which has no such locks: nothing keeps two processes apart there
    import fcntl

    OPEN_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK
    """The folder may be of a stranger: a link in it is not followed, and a pipe not waited for."""
else:
    OPEN_FLAGS = 0

P = ParamSpec("P")
R = TypeVar("R")

HELD = (errno.EACCES, errno.EAGAIN)
"""Errors of locking a file that another process has locked; by others, the file system has no locks."""

_owned: set[Path] = set()
"""The folders that this process owns. It must not open their files again: to close one ends the lock."""


class OwnedError(FasError):
    """Another process uses the folder."""


@contextmanager
def owning(folder: Path) -> Iterator[None]:
    """Own a folder of a run or of a group of runs in the block; the folder is made if it is not there.

    A folder that was made, and that nothing was put into, is removed. A process may own what it owns already;
    of several processes of one training, the main process is the owner.

    Raises:
        OwnedError: another process owns it; the message names its host and pid.
        FasError: the folder cannot be written.
    """
    resolved = folder.resolve()
    if sys.platform == "win32" or resolved in _owned or not is_main_process():
        yield
        return
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        with _locking(folder):
            _owned.add(resolved)
            try:
                yield
            finally:
                _owned.remove(resolved)
    finally:
        with suppress(OSError):  # not empty
            for path in missing:
                path.rmdir()


def owned(write: Callable[Concatenate[Path, P], R]) -> Callable[Concatenate[Path, P], R]:
    """Return a function of a folder that owns it while it runs; raises as `owning`, too."""

    @wraps(write)
    def write_owned(folder: Path, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with owning(folder):
            return write(folder, *args, **kwargs)

    return write_owned


@contextmanager
def owning_numbered(folder: Path) -> Iterator[Path]:
    """Own `folder`, or the first of `folder-2`, `folder-3`, ... that is free, and yield it.

    Free is what holds no runs and has no owner. Raises FasError if the folder cannot be written.
    """
    numbered = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    for path in chain([folder], numbered):
        if files.holds_runs(path):
            continue
        with ExitStack() as stack:
            try:
                stack.enter_context(owning(path))
            except OwnedError:
                continue
            if not files.holds_runs(path):  # of a process that has ended in the meantime
                yield path
                return


def is_owned(folder: Path) -> bool:
    """Return whether a process, this or another, owns a folder; False where the file system has no locks."""
    if sys.platform == "win32":
        return False
    if folder.resolve() in _owned:
        return True
    try:
        descriptor = os.open(folder / files.OWNER, os.O_RDONLY | OPEN_FLAGS)
    except OSError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in HELD
    finally:
        os.close(descriptor)  # which ends the lock again
    return False


@contextmanager
def _locking(folder: Path) -> Iterator[None]:
    file = folder / files.OWNER
    try:
        descriptor = _open_locked(file)
    except OSError as error:
        if file.is_symlink() or (file.exists() and not file.is_file()):
            raise FasError(f"{file}: a link, pipe or folder, not a file: remove it") from error
        raise FasError(f"{folder}: cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)


def _open_locked(file: Path) -> int:
    """Open, lock and write the file; return its descriptor."""
    while True:
        make_folder(file.parent)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | OPEN_FLAGS, 0o666)
        with ExitStack() as stack:
            stack.callback(os.close, descriptor)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            _lock(descriptor, file)
            if not _is_at(descriptor, file):  # its former owner has removed it
                continue
            stack.callback(file.unlink)
            _write_owner(descriptor)
            stack.pop_all()
            return descriptor


def _lock(descriptor: int, file: Path) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            raise OwnedError(_describe_owner(file)) from error
        console.warn_once(
            f"{file.parent}: its file system has no locks ({error.strerror}): let no second process train it"
        )


def _is_at(descriptor: int, file: Path) -> bool:
    """Return whether an open file is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def _write_owner(descriptor: int) -> None:
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    owner = {"host": socket.gethostname(), "pid": os.getpid(), "since": since}
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{json.dumps(owner)}\n".encode())


def _describe_owner(file: Path) -> str:
    """Return, as the message of an error, who uses the folder."""
    try:
        owner = read_json(file)
        process = f"process {owner['pid']} on {owner['host']}, since {owner['since']}"
    except (FasError, TypeError, KeyError):  # it is about to write the file
        process = "another process"
    return f"{file.parent}: in use by {process}: wait until it ends, or stop it"
