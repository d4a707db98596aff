"""An ordered, bounded map over threads, for reading, checking, cropping and scoring files."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, ahead: int | None = None
) -> Generator[Result, None, None]:
    """Map over `workers` threads, results in order; 0 calls in this thread.

    Decoding and face detection release the interpreter's lock. Items are consumed as they are needed: at most
    `ahead` results wait, by default 4 a worker. An exception is raised when its result is due.
    """
    if workers <= 0:
        yield from map(function, items)
        return
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and a single image needs no threads

    remaining = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        try:
            first = islice(remaining, ahead or 4 * workers)
            waiting: deque[Future[Result]] = deque(pool.submit(function, item) for item in first)
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(function, item) for item in islice(remaining, 1))
                yield result
        finally:
            pool.shutdown(cancel_futures=True)
