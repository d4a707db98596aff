"""Iterators whose items are made by a thread ahead of whoever takes them, such as the frames of a video."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from contextlib import closing
from itertools import repeat
from threading import Condition, Event
from typing import TYPE_CHECKING, Any, TypeVar

from fas_core.data.parallel import ordered

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item")

_END: Any = object()


def prefetch(items: Iterable[Item], count: int) -> Generator[Item, None, None]:
    """Yield all items, up to `count` of which a thread makes ahead; an exception is raised when it is due."""
    remaining = iter(items)
    with closing(ordered(lambda _: next(remaining, _END), repeat(None), 1, ahead=count)) as prefetched:
        for item in prefetched:
            if item is _END:
                return
            yield item


def newest(items: Iterable[Item]) -> Generator[Item, None, None]:
    """Yield the first item, and then the newest that a thread has made whenever one is asked for.

    So whoever takes the pictures of a camera more slowly than they come does not lag behind it. The last item
    is never dropped; an exception is raised after the item before it.
    """
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and images need none

    remaining = iter(items)
    for item in remaining:
        yield item
        break
    waiting: deque[Item] = deque(maxlen=1)
    changed, stopped = Condition(), Event()

    def notify(_: Future[None] | None = None) -> None:
        with changed:
            changed.notify()

    def read() -> None:
        for item in remaining:
            waiting.append(item)
            notify()
            if stopped.is_set():
                return

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        reading.add_done_callback(notify)
        try:
            while True:
                with changed:
                    changed.wait_for(lambda: waiting or reading.done())
                if not waiting:
                    reading.result()
                    return
                yield waiting.popleft()
        finally:
            stopped.set()
