"""Runs commands in child processes that are killed at a chosen write, or whose unsynced files are lost.

A fork server imports everything once, so that a child that trains a tiny run takes a fraction of a second.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from attrs import frozen

KILLED = -signal.SIGKILL
HALF = 64
"""Bytes of a file that reach the disk before a kill half-way."""

EVENTS = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate")
"""Audit events of operations that change files (`os.replace` is audited as `os.rename`)."""

PRELOAD = [
    "torch",
    "accelerate",
    "fas_core.cli.train",
    "fas_core.training.job",
    "fas_core.inference.evaluate_split",
]

Moment = Literal["before", "half-way"]


@frozen
class Kill:
    """Kill the process before its n-th change of a file, or when that file has its first bytes."""

    number: int
    moment: Moment = "before"


def run(arguments: Sequence[object], folder: Path, kill: Kill | None = None) -> tuple[int, int]:
    """Run a command of `fas` in a child process.

    Args:
        arguments: of the command.
        folder: changes of files below it are counted; the output goes to `output.txt` beside it.
        kill: when the process is killed; None: never.

    Returns:
        Exit code (`KILLED` if killed), and the number of changes until then.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    changes = context.Value("i", 0)
    child = context.Process(target=_run, args=([str(item) for item in arguments], folder, kill, changes))
    child.start()
    child.join()
    assert child.exitcode is not None
    return child.exitcode, changes.value


def _run(arguments: list[str], folder: Path, kill: Kill | None, changes: Any) -> None:
    output = os.open(folder.with_name("output.txt"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    _count_changes(f"{folder}{os.sep}", kill, changes)
    from fas_core.cli import main

    main(arguments)


def _count_changes(prefix: str, kill: Kill | None, changes: Any) -> None:
    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in EVENTS or (event == "open" and not _opens_for_writing(arguments)):
            return
        if not any(
            isinstance(item, str | os.PathLike) and os.fspath(item).startswith(prefix) for item in arguments
        ):
            return
        changes.value += 1
        if kill is None or changes.value != kill.number:
            return
        if kill.moment == "before" or event != "open":
            os.kill(os.getpid(), signal.SIGKILL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, HALF))  # the kernel ends the process at this size

    sys.addaudithook(audit)


def _opens_for_writing(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    return (
        bool(flags & (os.O_WRONLY | os.O_RDWR)) if mode is None else any(letter in mode for letter in "wax+")
    )
