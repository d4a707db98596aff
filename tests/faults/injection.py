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
import tempfile
import threading
from collections.abc import Sequence
from functools import partial
from itertools import count as count_from
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

from attrs import frozen
from faults.counts import count
from faults.disk import Disk
from faults.processes import launch, list_members, wait_for_end

HALF = 64
"""Bytes of a file that reach the disk before a kill half-way."""

EVENTS = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate")
"""Audit events of operations that change files (`os.replace` is audited as `os.rename`)."""

MAX_CHANGES = 10_000
"""That are recorded of a process."""
HAPPENED, OPENS, FOLLOWS_SYNC = 1, 2, 4

REPLICATES = 20
"""Of the bootstrap at the end of a training, which writes nothing."""

PRELOAD = [
    "torch",
    "torch._dynamo",
    "accelerate",
    "fas_core.cli.train",
    "fas_core.training.job",
    "fas_core.inference.evaluate_split",
    "fas_plugins.trackers.curves_figure",
    "matplotlib.backends.backend_agg",
    "pandas",
    "rich.console",
    "torch.distributed.launcher.api",
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


@frozen
class KillOfAll:
    """Kill all processes of the command at once, this many seconds after it has begun."""

    after: float


@frozen
class Command:
    """A command of `fas`, and what happens to it: see `run`."""

    arguments: list[str]
    folder: Path
    kill: Kill | KillOfAll | None
    max_bytes: int | None
    processes: int
    temporaries: Path | None


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
    arguments: Sequence[object],
    folder: Path,
    kill: Kill | KillOfAll | None = None,
    *,
    max_bytes: int | None = None,
    processes: int = 1,
    temporaries: Path | None = None,
) -> tuple[int, list[Change]]:
    """Run a command of `fas` in a child process, and wait until all processes that it starts have ended.

    Args:
        arguments: of the command.
        folder: changes of files below it are counted; the output goes to `output.txt` beside it.
        kill: when the process is killed, of several the main one; None: never.
        max_bytes: writing a file beyond this size is an error (EFBIG), as on a full disk; None: never.
        processes: that train together, as under `torchrun`.
        temporaries: folder for temporary files; None: that of the tests.

    Returns:
        Exit code (negative: the signal that ended it), and the changes until then.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    changes = context.RawArray(ctypes.c_byte, MAX_CHANGES)
    command = Command([str(word) for word in arguments], folder, kill, max_bytes, processes, temporaries)
    child = context.Process(target=_run, args=(command, changes))
    child.start()
    if isinstance(kill, KillOfAll):
        _kill_all(child, kill)
    child.join()
    wait_for_end(partial(list_members, child.pid))
    if isinstance(kill, Kill):
        count("power losses" if kill.moment == "power loss" else "kills")
    disk = _disk_path(folder)
    if disk.exists():
        shutil.rmtree(folder, ignore_errors=True)
        disk.rename(folder)
    assert child.exitcode is not None
    bits = takewhile(bool, changes)
    return child.exitcode, [Change(bool(bit & OPENS), bool(bit & FOLLOWS_SYNC)) for bit in bits]


def _kill_all(child: Any, kill: KillOfAll) -> None:
    """Kill the process and those that it has started, unless it ends before."""
    child.join(kill.after)
    if child.exitcode is not None:
        return
    count("random kills")
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:  # it has no group of its own yet
        child.kill()


def _disk_path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.disk")


def _run(command: Command, changes: Any) -> None:
    os.setsid()
    multiprocessing.set_start_method("fork", force=True)  # Linux's default; of workers
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which `nohup pytest` ignores
    output = os.open(command.folder.with_name("output.txt"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    if command.temporaries is not None:
        os.environ["TMPDIR"], tempfile.tempdir = str(command.temporaries), None
        multiprocessing.current_process()._config.pop("tempdir", None)  # type: ignore[attr-defined]
    if command.processes == 1:
        _call(command, changes)
    else:
        launch(_call, command, changes, count=command.processes)


def _call(command: Command, changes: Any) -> None:
    """Call `fas` in this process, which may be one of several."""
    folder, kill, max_bytes = command.folder, command.kill, command.max_bytes
    disk = Disk(folder.parent, is_simulated=isinstance(kill, Kill) and kill.moment == "power loss")
    os.fsync = disk.sync  # type: ignore[assignment]
    if os.environ.get("RANK", "0") == "0":
        _record_changes(folder, kill if isinstance(kill, Kill) else None, changes, disk)
    if kill is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # here, as only the main thread may
    if max_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))
    from fas_core.cli import main
    from fas_core.evaluation import bootstrap

    bootstrap.REPLICATES = REPLICATES
    main(command.arguments)


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
