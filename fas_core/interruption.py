"""How signals stop a command: the first at the end of a step, a second one at once.

SIGINT (Ctrl-C), SIGTERM (of job queues and `timeout`), SIGHUP (the terminal is gone) and SIGUSR1 (Slurm's
warning before a job's time ends) all ask for the same. A thread waits for them, so that it answers while the
main thread is in a long computation; only the main thread is interrupted.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from attrs import define, field

from fas_core.child_processes import STOP_SIGNALS, kill_workers
from fas_core.console import console
from fas_core.errors import FasError

if TYPE_CHECKING:
    import socket

SAME_REQUEST = 1.0
"""Seconds in which further signals belong to the first: `timeout` and `torchrun` send it twice."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to stop, which ends with 128 and the signal's number, as shells count."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__(signal.Signals(number).name)


@define(eq=False)
class Interruption:
    """What signals have asked for so far.

    Args:
        continue_on_usr1: whether SIGUSR1 asks to save and go on, in place of stopping.
    """

    continue_on_usr1: bool = False
    _stop: int | None = field(default=None, init=False)
    _answered: float | None = field(default=None, init=False)
    _save: bool = field(default=False, init=False)
    _stepping: bool = field(default=False, init=False)
    _raised: bool = field(default=False, init=False)
    _echoes: int = field(default=0, init=False)

    @property
    def requested(self) -> bool:
        """Whether the command is to stop."""
        return self._stop is not None

    def check(self) -> None:
        """Raise Interrupted if the command is to stop."""
        if self._stop is not None:
            self._raised = True
            raise Interrupted(self._stop)

    def request(self, number: int = signal.SIGTERM) -> None:
        """Ask the command to stop, as another process that it works with was asked to by a signal."""
        self._stop = self._stop or number

    def take_save_request(self) -> bool:
        """Return whether a signal has asked to save and go on since the last call."""
        requested, self._save = self._save, False
        return requested

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """Let the block end by itself once `requested` is set; raise Interrupted after the outermost one.

        Elsewhere Interrupted is raised wherever the main thread is.
        """
        outer, self._stepping = self._stepping, True
        try:
            yield
        finally:
            self._stepping = outer
        if not outer:
            self.check()

    def _asks_to_save(self, number: int) -> bool:
        return self.continue_on_usr1 and signal.Signals(number).name == "SIGUSR1"

    def _receive(self, number: int, _: FrameType | None) -> None:
        """Note a signal, in the main thread, and once it has been answered raise Interrupted.

        Only once, because what cleans up must not be interrupted in turn.
        """
        if self._asks_to_save(number):
            self._save = True
            return
        self._stop = self._stop or number
        if self._answered is not None and not self._stepping and not self._raised:
            self.check()

    def _answer(self, number: int) -> None:
        """Answer a signal at once, in the thread that watches for them."""
        if self._echoes:
            self._echoes -= 1
        elif self._asks_to_save(number):
            _say("saving after this step, and going on")
        elif self._answered is None:
            _say(f"stopping{' after this step' if self._stepping else ''}; again to stop now")
            self._answered = time.monotonic()
            if not self._stepping:
                self._wake(number)
        elif time.monotonic() - self._answered > SAME_REQUEST:
            _end_at_once(number)

    def _wake(self, number: int) -> None:
        """Have the main thread receive a signal again, also where it waits; the watcher sees it too."""
        self._echoes += 1
        if sys.platform == "win32":
            _thread.interrupt_main(number)
        else:
            signal.pthread_kill(threading.main_thread().ident or 0, number)

    def _note_unraisable(
        self, hook: Callable[[sys.UnraisableHookArgs], object], unraisable: sys.UnraisableHookArgs
    ) -> None:
        """Raise Interrupted again where a callback of Python itself, e.g. in an import, has swallowed it."""
        if isinstance(unraisable.exc_value, Interrupted):
            self._raised = False
            threading.Timer(0.01, self._wake, [self._stop]).start()  # when the callback is over
        else:
            hook(unraisable)

    def _watch(self, receiver: socket.socket) -> None:
        """Answer signals, whose numbers arrive as bytes, until the sender shuts down."""
        while data := receiver.recv(1):
            if data[0] in STOP_SIGNALS:
                self._answer(data[0])


_current: ContextVar[Interruption | None] = ContextVar("interruption", default=None)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Catch the signals that stop a command, in the block; one within another is the same.

    SIGHUP stays ignored where it is, as `nohup` asks for. Outside the main thread, which alone can catch
    signals, nothing is caught.
    """
    current = _current.get()
    if current is not None or threading.current_thread() is not threading.main_thread():
        yield current or Interruption()
        return
    interruption = Interruption()
    token = _current.set(interruption)
    try:
        with _handling(interruption), _watching(interruption):
            yield interruption
    finally:
        _current.reset(token)


@contextmanager
def _handling(interruption: Interruption) -> Iterator[None]:
    """Let the main thread receive the signals, in the block."""
    caught = [number for number in STOP_SIGNALS if not _is_left_ignored(number)]
    handlers, hook = {number: signal.getsignal(number) for number in caught}, sys.unraisablehook
    sys.unraisablehook = partial(interruption._note_unraisable, hook)
    try:
        for number in caught:
            signal.signal(number, interruption._receive)
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook
        if interruption.requested:  # Python takes a while to end, and a second Ctrl-C needs no traceback
            atexit.register(signal.signal, signal.SIGINT, signal.SIG_DFL)


@contextmanager
def _watching(interruption: Interruption) -> Iterator[None]:
    """Let a thread answer the signals, in the block."""
    import socket  # slow to import, and few commands need it

    sender, receiver = socket.socketpair()
    sender.setblocking(False)
    watcher = threading.Thread(target=interruption._watch, args=(receiver,), daemon=True)
    with sender, receiver:
        before = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        watcher.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            sender.shutdown(socket.SHUT_WR)  # processes that were forked have it open, too
            watcher.join()  # what came last is answered


def _is_left_ignored(number: signal.Signals) -> bool:
    return number.name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN


def _say(text: str) -> None:
    with suppress(FasError, OSError):  # the terminal is gone, and a run must still be saved
        console.warn(text)


def _end_at_once(number: int) -> None:
    """End this process and those that it started, whatever its threads are doing."""
    with suppress(FasError, OSError):
        console.rich(stderr=True).show_cursor()  # a progress bar hides it
        console.error("stopped at once; what was saved before stays")
    kill_workers()
    os._exit(128 + number)
