"""Time a model on the CPU, with a fixed number of threads."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from attrs import frozen

MIN_RUNS = 5
"""Runs that are measured even where they take longer than the time limit."""


@frozen
class Latency:
    """Seconds for one sample.

    Args:
        median: median of the runs.
        low, high: their quartiles.
        runs: number of runs.
        threads: number of threads that torch computed with.
    """

    median: float
    low: float
    high: float
    runs: int
    threads: int


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Set the number of CPU threads of torch, and restore it afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def latency(call: Callable[[], object], *, threads: int, runs: int = 20, seconds: float = 5.0) -> Latency:
    """Time `call` in inference mode, after two calls to warm up.

    Args:
        call: scores one sample.
        threads: number of threads of torch.
        runs: how often to time it.
        seconds: time limit of all runs, at least 5 of which are measured.
    """
    with torch_threads(threads), torch.inference_mode():
        call()
        call()
        durations: list[float] = []
        while len(durations) < runs and (len(durations) < MIN_RUNS or sum(durations) < seconds):
            start = time.perf_counter()
            call()
            durations.append(time.perf_counter() - start)
    low, median, high = statistics.quantiles(durations, n=4)
    return Latency(median, low, high, len(durations), threads)
