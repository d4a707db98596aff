"""The ordered map over threads."""

from __future__ import annotations

import threading
import time

import pytest

from fas_core.data.parallel import cores, ordered


def test_there_is_a_core() -> None:
    assert cores() >= 1


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_results_are_those_of_map(workers: int) -> None:
    assert list(ordered(str, range(20), workers)) == [str(number) for number in range(20)]


def test_the_map_keeps_order_and_reads_only_a_little_ahead() -> None:
    consumed: list[int] = []

    def items() -> object:
        for number in range(1000):
            consumed.append(number)
            yield number

    def slow_first(number: int) -> int:
        time.sleep(0.02 if number % 4 == 0 else 0)
        return -number

    results = ordered(slow_first, items(), workers=3, ahead=5)  # type: ignore[arg-type]
    assert [next(results) for _ in range(9)] == [-number for number in range(9)]
    assert len(consumed) <= 9 + 5
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() < 4


def test_the_map_raises_in_its_place() -> None:
    results = ordered(lambda number: 1 // number, [1, 1, 0, 1], workers=2)
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
