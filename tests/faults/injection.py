"""Runs commands in child processes that are killed at a chosen write, or whose unsynced files are lost.

A fork server imports everything once, so that a child that trains a tiny run takes a fraction of a second.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from itertools import count as count_from
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

from attrs import frozen
from faults.counts import count

HALF = 64
"""Bytes of a file that reach the disk before a kill half-way."""

EVENTS = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate")
"""Audit events of operations that change files (`os.replace` is audited as `os.rename`)."""

MAX_CHANGES = 10_000
"""That are recorded of a process."""
HAPPENED, OPENS, FOLLOWS_SYNC = 1, 2, 4

REPLICATES = 20
"""Of the bootstrap at the end of a training, which writes nothing."""

FSYNC = os.fsync

PRELOAD = [
    "torch",
    "torch._dynamo",
    "accelerate",
    "fas_core.cli.train",
    "fas_core.training.job",
    "fas_core.inference.evaluate_split",
]

Moment = Literal["before", "half-way", "power loss"]


@frozen
class Change:
    """A change of a file.

    Args:
        opens: whether it opens a file for writing; only then does a kill half-way differ from one before.
        follows_sync: whether a file or folder was synced since the change before it; only then does a power
            loss leave something else than one there.
    """

    opens: bool
    follows_sync: bool


@frozen
class Kill:
    """Kill the process before its n-th change of a file, or when that file has its first bytes.

    A power loss is a kill before the change, after which the folder holds only what was synced to the disk.
    A signal other than SIGKILL goes to all processes of the group, before the change.
    """

    number: int
    moment: Moment = "before"
    by: signal.Signals = signal.SIGKILL


def list_kills(changes: Sequence[Change], moments: Sequence[Moment]) -> list[Kill]:
    """Return the kills of a process with these changes, without those that leave the same as another."""
    return [
        Kill(number, moment)
        for number, change in enumerate(changes, 1)
        for moment in moments
        if not (moment == "half-way" and not change.opens)
        and not (moment == "power loss" and number > 1 and not change.follows_sync)
    ]


def run(
    arguments: Sequence[object], folder: Path, kill: Kill | None = None, max_bytes: int | None = None
) -> tuple[int, list[Change]]:
    """Run a command of `fas` in a child process.

    Args:
        arguments: of the command.
        folder: changes of files below it are counted; the output goes to `output.txt` beside it.
        kill: when the process is killed; None: never.
        max_bytes: writing a file beyond this size is an error (EFBIG), as on a full disk; None: never.

    Returns:
        Exit code (negative: the signal that ended it), and the changes until then.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    changes = context.RawArray(ctypes.c_byte, MAX_CHANGES)
    child = context.Process(
        target=_run, args=([str(item) for item in arguments], folder, kill, changes, max_bytes)
    )
    child.start()
    child.join()
    if kill is not None:
        count("power losses" if kill.moment == "power loss" else "kills")
    disk = _disk_path(folder)
    if disk.exists():
        shutil.rmtree(folder, ignore_errors=True)
        disk.rename(folder)
    assert child.exitcode is not None
    bits = takewhile(bool, changes)
    return child.exitcode, [Change(bool(bit & OPENS), bool(bit & FOLLOWS_SYNC)) for bit in bits]


def _disk_path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.disk")


def _run(arguments: list[str], folder: Path, kill: Kill | None, changes: Any, max_bytes: int | None) -> None:
    os.setsid()
    multiprocessing.set_start_method("fork", force=True)  # Linux's default; of workers
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which `nohup pytest` ignores
    output = os.open(folder.with_name("output.txt"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    disk = Disk(folder.parent, is_simulated=kill is not None and kill.moment == "power loss")
    os.fsync = disk.sync  # type: ignore[assignment]
    _record_changes(folder, kill, changes, disk)
    if kill is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # here, as only the main thread may
    if max_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))
    from fas_core.cli import main
    from fas_core.evaluation import bootstrap

    bootstrap.REPLICATES = REPLICATES
    main(arguments)


def _record_changes(folder: Path, kill: Kill | None, changes: Any, disk: Disk) -> None:
    numbers = count_from(1)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in EVENTS or (event == "open" and not _opens_for_writing(arguments)):
            return
        paths = [os.fspath(item) for item in arguments if isinstance(item, str | os.PathLike)]
        if not any(path.startswith(f"{folder}{os.sep}") for path in paths):
            return
        number = next(numbers)
        changes[number - 1] = HAPPENED | (event == "open") * OPENS | disk.was_synced * FOLLOWS_SYNC
        disk.was_synced = False
        if kill is None or number != kill.number:
            return
        if kill.by != signal.SIGKILL:
            os.killpg(0, kill.by)
            threading.Event().wait(0.2)  # for the answer
            return
        if kill.moment == "power loss":
            disk.write(folder.name, _disk_path(folder))
        if kill.moment != "half-way" or event != "open":
            os.kill(os.getpid(), signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, HALF))  # the kernel ends the process at this size

    sys.addaudithook(audit)


def _opens_for_writing(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    return bool(flags & (os.O_WRONLY | os.O_RDWR)) if mode is None else not set("wax+").isdisjoint(mode)


class Disk:
    """What a strict disk holds: the bytes of files and the names in folders as of their last sync.

    Without `is_simulated` it only records that something was synced, by the real `fsync`.
    """

    def __init__(self, root: Path, is_simulated: bool = True) -> None:
        self.is_simulated = is_simulated
        self.was_synced = False
        self.root = root.stat().st_ino
        self.files: dict[int, bytes] = {}
        self.folders: dict[int, dict[str, tuple[int, bool]]] = {self.root: _list(root)}
        self.open: list[int] = []

    def sync(self, descriptor: int) -> None:
        """Take the place of `os.fsync`."""
        self.was_synced = True
        if not self.is_simulated:
            FSYNC(descriptor)
            return
        self.open.append(os.dup(descriptor))  # so that no other file gets this number of an inode
        path, inode = Path(f"/proc/self/fd/{descriptor}").readlink(), os.fstat(descriptor).st_ino
        if path.is_dir():
            self.folders[inode] = _list(path)
        else:
            self.files[inode] = path.read_bytes()

    def write(self, name: str, destination: Path) -> None:
        """Write what the disk holds of a folder below the root; an empty folder where it holds none."""
        inode, _ = self.folders[self.root].get(name, (0, True))
        self._write_folder(inode, destination)

    def _write_folder(self, inode: int, destination: Path) -> None:
        destination.mkdir()
        for name, (child, is_folder) in self.folders.get(inode, {}).items():
            if is_folder:
                self._write_folder(child, destination / name)
            else:
                (destination / name).write_bytes(self.files.get(child, b""))


def _list(folder: Path) -> dict[str, tuple[int, bool]]:
    return {entry.name: (entry.inode(), entry.is_dir()) for entry in os.scandir(folder)}
