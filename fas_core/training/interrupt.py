"""Ctrl-C between steps, never inside one: what is saved afterwards is whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from attrs import define


@define
class Interruption:
    """Whether Ctrl-C (or a polite kill) has been asked for."""

    requested: bool = False

    def ask(self, _signal: int, _frame: FrameType | None) -> None:
        """Remember the first signal; the second one interrupts at once."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Collect SIGINT and SIGTERM while a block runs; the block looks at `requested` where it can stop."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption  # signals reach the main thread only
        return
    previous = {number: signal.signal(number, interruption.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
