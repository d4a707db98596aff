"""Processes that a command starts: they leave signals to it, and end with it."""

from __future__ import annotations

import atexit
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

STOP_SIGNALS = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
    if name in signal.Signals.__members__  # Windows has the first two
)
"""The signals that ask a command to stop."""

PR_SET_PDEATHSIG = 1
"""Of Linux's prctl(2)."""


def kill_workers() -> None:
    """End the processes of `multiprocessing` that must not outlive this one, whatever they ignore."""
    import multiprocessing  # every command imports this module

    for process in multiprocessing.active_children():
        if process.daemon:
            process.kill()


@cache
def kill_workers_at_exit() -> None:
    """Have `kill_workers` called when this process ends: Python itself asks them by SIGTERM, and waits."""
    atexit.register(kill_workers)


@contextmanager
def holding_back_signals() -> Iterator[None]:
    """Keep the signals that stop a command from processes that are started in the block.

    These call `leave_signals_to_parent`; this process gets the signals after the block.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_signals_to_parent() -> None:
    """Ignore the signals that stop a command, in a process that its parent ends.

    A signal to the process group would end it before the parent has saved. On Linux it is killed with its
    parent, whose locks it would hold.
    """
    signal.set_wakeup_fd(-1)
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    if sys.platform == "linux":
        import ctypes  # slow to import, and rarely needed

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
