"""Processes that score together: each its share of the samples, in step, with all scores in every process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Item = TypeVar("Item")
Scores = NDArray[np.float64]


class Peers(Protocol):
    """Processes that work together, of which this is one; all call the same methods in the same order."""

    @property
    def rank(self) -> int:
        """Number of this process, from 0, the main one."""

    @property
    def count(self) -> int:
        """Number of processes."""

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process."""

    def gather(self, scores: Scores) -> list[Scores]:
        """Return the scores of every process, by rank; their numbers may differ."""


@frozen
class Alone:
    """This process without others."""

    rank: int = 0
    count: int = 1

    def any(self, flag: bool) -> bool:
        return flag

    def gather(self, scores: Scores) -> list[Scores]:
        return [scores]


ALONE = Alone()


def own_rows(count: int, peers: Peers) -> NDArray[np.int64]:
    """Return the rows of `count` that this process scores; each row is one process's."""
    return np.arange(peers.rank, count, peers.count)


def in_step(items: Iterable[Item], peers: Peers) -> Iterator[Item]:
    """Iterate with the other processes, of which some may have more items: wait for all after each item.

    So a process that ends is noticed at once, and none waits for long for what another has still to do.
    """
    for item in items:
        yield item
        peers.any(True)
    while peers.any(False):
        pass


def join_scores(scores: Scores, count: int, peers: Peers) -> Scores:
    """Return the scores of all `count` rows, from those that each process gave to its `own_rows`."""
    joined = np.full(count, np.nan)
    for rank, part in enumerate(peers.gather(scores)):
        joined[rank :: peers.count] = part
    return joined
