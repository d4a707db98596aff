"""One object for each thread: OpenCV's detectors keep state while they search."""

from __future__ import annotations

from collections.abc import Callable
from threading import local
from typing import Any


def once_per_thread(build: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function that calls `build` once in each thread, and gives its result from then on."""
    thread = local()

    def load() -> Any:
        if not hasattr(thread, "value"):
            thread.value = build()
        return thread.value

    return load
