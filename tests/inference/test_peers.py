"""Processes that score together: shares, steps and order; here threads stand for processes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from attrs import frozen

from fas_core.inference.peers import ALONE, Scores, in_step, join_scores, own_rows


@frozen(eq=False)
class Board:
    """What threads exchange: a slot for each."""

    slots: list[Any]
    barrier: threading.Barrier

    def exchange(self, rank: int, value: Any) -> list[Any]:
        self.slots[rank] = value
        self.barrier.wait(20)
        values = list(self.slots)
        self.barrier.wait(20)
        return values


@frozen(eq=False)
class Thread:
    """One of several threads, as `Peers`."""

    rank: int
    count: int
    board: Board

    def any(self, flag: bool) -> bool:
        return any(self.board.exchange(self.rank, flag))

    def gather(self, scores: Scores) -> list[Scores]:
        return self.board.exchange(self.rank, scores)


@pytest.mark.parametrize(("rows", "processes"), [(7, 2), (8, 3), (1, 3)])
def test_every_process_gets_all_scores_in_order(rows: int, processes: int) -> None:
    """Of more rows, of fewer, and of none in a process."""
    board = Board([None] * processes, threading.Barrier(processes))
    scored: list[int] = []

    def score(rank: int) -> Scores:
        peers = Thread(rank, processes, board)
        own = []
        for row in in_step(own_rows(rows, peers), peers):
            scored.append(int(row))
            own.append(float(row))
        return join_scores(np.array(own), rows, peers)

    with ThreadPoolExecutor(processes) as pool:
        results = list(pool.map(score, range(processes)))
    assert sorted(scored) == list(range(rows))
    assert all(result.tolist() == list(range(rows)) for result in results)


def test_one_process_scores_all_rows() -> None:
    rows = list(in_step(own_rows(3, ALONE), ALONE))
    assert join_scores(np.array(rows, float), 3, ALONE).tolist() == [0, 1, 2]
