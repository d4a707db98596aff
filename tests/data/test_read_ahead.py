"""Threads that make items ahead: order, bounds, errors, and their end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from fas_core.data.read_ahead import newest, prefetch

LONG = 10.0
"""Seconds that no wait takes."""


def fail_after(count: int) -> Iterator[int]:
    yield from range(count)
    raise OSError("unplugged")


@pytest.mark.parametrize("count", [0, 1, 50])
def test_all_items_in_order(count: int) -> None:
    assert list(prefetch(range(count), 3)) == list(range(count))


def test_items_are_made_by_a_thread_so_many_ahead() -> None:
    made: list[int] = []
    changed = threading.Condition()

    def make() -> Iterator[int]:
        for number in range(100):
            with changed:
                made.append(number)
                changed.notify()
            yield number

    items = prefetch(make(), 3)
    assert next(items) == 0
    with changed:
        assert changed.wait_for(lambda: len(made) >= 4, LONG)
        assert not changed.wait_for(lambda: len(made) > 4, 0.05)
    items.close()
    assert len(made) == 4


@pytest.mark.parametrize("function", [lambda items: prefetch(items, 3), newest])
def test_an_error_comes_after_the_items_before_it(function: Callable[[Iterator[int]], Iterator[int]]) -> None:
    taken: list[int] = []

    def take() -> None:
        for item in function(fail_after(4)):
            taken.append(item)

    with pytest.raises(OSError, match="unplugged"):
        take()
    assert (taken[0], taken[-1]) == (0, 3)
    assert list(function(iter([]))) == []


def test_whoever_is_slow_gets_the_newest() -> None:
    shown, seen = threading.Semaphore(0), threading.Semaphore(0)

    def film() -> Iterator[int]:
        for number in range(1000):
            yield number
            seen.release()  # it was put where the other thread takes it
            shown.acquire(timeout=LONG)

    with_frames = newest(film())
    assert next(with_frames) == 0
    shown.release()
    assert next(with_frames) == 1
    for _ in range(7):
        shown.release()
    for _ in range(8):
        assert seen.acquire(timeout=LONG)
    assert next(with_frames) in (7, 8)  # 8 unless it is being put there
    shown.release(1000)
    with_frames.close()
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]
