"""Processes that read images for training: how they start, and what is said of one that dies."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import AuthenticationError
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

from fas_core.child_processes import leave_signals_to_parent
from fas_core.errors import FasError

MORE_MEMORY = (
    "give it more memory, or take fewer --workers or a smaller --batch-size (--workers 0: no such processes)"
)

PATIENCE = 5.0
"""Seconds in which a process that hung up while it passed pixels on has ended."""

OUT_OF_MEMORY = {
    int(signal.Signals[name]) for name in ("SIGKILL", "SIGBUS") if name in signal.Signals.__members__
}
"""Numbers of the signals by which the kernel ends processes when memory runs out."""


class WorkerError(FasError):
    """A process that reads images ended, or could not be started."""


@contextmanager
def without_death_handler() -> Iterator[None]:
    """Undo that PyTorch, which starts processes in the block, handles the signal that one of them has died.

    Its handler raises an error wherever the main thread is: in a callback too, where Python prints it and
    goes on. Without it a death is noticed when the next batch is due, within five seconds.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGCHLD)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, handler)


@contextmanager
def naming_deaths(workers: Callable[[], Sequence[BaseProcess]]) -> Iterator[None]:
    """Raise WorkerError where waiting for pixels fails in the block because one of the workers died."""
    try:
        yield
    except (EOFError, ConnectionError) as error:  # it died while it passed pixels on, a moment ago
        raise WorkerError(explain_death(find_dead(workers(), PATIENCE))) from error
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker (pid"):
            raise
        raise WorkerError(explain_death(find_dead(workers(), 0))) from error


def find_dead(workers: Sequence[BaseProcess], patience: float) -> dict[int, int]:
    """Return the exit codes of those that ended, by pid; wait up to `patience` seconds for the first."""
    ended = wait([process.sentinel for process in workers], timeout=patience) if workers else []
    for process in workers:
        if process.sentinel in ended:
            process.join()  # its files are closed a moment before it has an exit code
    return {process.pid or 0: process.exitcode for process in workers if process.exitcode is not None}


def explain_death(exit_codes: Mapping[int, int]) -> str:
    """Return what the user reads of processes that ended, by pid; without any, of one that is not known."""
    pids = ", ".join(map(str, sorted(exit_codes))) or "unknown"
    numbers = {-code for code in exit_codes.values() if code < 0}
    names = ", ".join(signal.strsignal(number) or str(number) for number in sorted(numbers))
    process = f"a process that reads images (pid {pids}) ended early"
    if numbers <= OUT_OF_MEMORY:
        killed = f" (signal: {names})" if names else ""
        return f"{process}{killed}, most likely because memory ran out: {MORE_MEMORY}"
    return f"{process} by a signal ({names}): --workers 0 reads without such processes"


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
