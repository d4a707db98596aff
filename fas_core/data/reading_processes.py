"""Processes that read images for training: how they start, and what is said of one that dies."""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import AuthenticationError
from typing import Any

from fas_core.child_processes import leave_signals_to_parent
from fas_core.errors import FasError

MORE_MEMORY = (
    "give it more memory, or take fewer --workers or a smaller --batch-size (--workers 0: no such processes)"
)


class WorkerError(FasError):
    """A process that reads images ended, or could not be started."""


@contextmanager
def name_worker_failures() -> Iterator[None]:
    """Raise WorkerError where a process that reads images dies while the block runs.

    PyTorch is told of the death by a signal, so that its error may come up anywhere in the block.
    """
    try:
        yield
    except RuntimeError as error:
        match = WORKER_DEATH.match(str(error))
        if match is None:
            raise
        raise WorkerError(explain_death(match["pids"], (match["signal"] or "").strip())) from error


WORKER_DEATH = re.compile(
    r"DataLoader worker \(pid(\(s\))? (?P<pids>[\d, ]+)\) (is killed by signal: (?P<signal>[\w ]+))?"
)
"""How PyTorch's messages begin."""


def explain_death(pids: str, name: str) -> str:
    """Return what the user reads of a process that a signal ended; `name` is empty where none is known."""
    process = f"a process that reads images (pid {pids}) ended early"
    if name in ("", "Killed", "Bus error"):  # what the kernel does to processes when memory runs out
        killed = f" (signal: {name})" if name else ""
        return f"{process}{killed}, most likely because memory ran out: {MORE_MEMORY}"
    return f"{process} by a signal ({name}): --workers 0 reads without such processes"


@contextmanager
def ignoring_deaths() -> Iterator[None]:
    """Leave out PyTorch's signal handler, which raises an error when a process has died, in the block."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, handler)


def start_worker(_: int) -> None:
    """Leave signals, and the report of why reading ends, to the training process, which ends the workers."""
    leave_signals_to_parent()
    sys.excepthook = print_unless_disconnected


def print_unless_disconnected(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Print an error of a thread, but not that the training process has hung up while it was sent pixels.

    The thread of `multiprocessing.resource_sharer` hands its errors to `sys.excepthook`.
    """
    if not isinstance(error, (EOFError, ConnectionError, AuthenticationError)):
        sys.__excepthook__(kind, error, trace)
