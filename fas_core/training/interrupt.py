"""Delay Ctrl-C to the end of a training step, so that the saved state is that of a whole step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from attrs import define


@define
class Interruption:
    """Whether the user asked training to stop."""

    requested: bool = False

    def handle_signal(self, _signal: int, _frame: FrameType | None) -> None:
        """Remember the first signal; raise KeyboardInterrupt at the second."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Catch SIGINT and SIGTERM within the block, which stops itself once `requested` is set.

    Outside the main thread, which alone receives signals, nothing is caught.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, interruption.handle_signal) for number in signals}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
