"""Processes that score together: shares, steps and order; here threads stand for processes."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.peers import Thread, run_together

from fas_core.inference.peers import ALONE, Scores, in_step, join_scores, own_rows


@pytest.mark.parametrize(("rows", "processes"), [(7, 2), (8, 3), (1, 3)])
def test_every_process_gets_all_scores_in_order(rows: int, processes: int) -> None:
    """Of more rows, of fewer, and of none in a process."""
    scored: list[int] = []

    def score(peers: Thread) -> Scores:
        own = []
        for row in in_step(own_rows(rows, peers), peers):
            scored.append(int(row))
            own.append(float(row))
        return join_scores(np.array(own), rows, peers)

    results = run_together(processes, score)
    assert sorted(scored) == list(range(rows))
    assert all(result.tolist() == list(range(rows)) for result in results)


def test_one_process_scores_all_rows() -> None:
    rows = list(in_step(own_rows(3, ALONE), ALONE))
    assert join_scores(np.array(rows, float), 3, ALONE).tolist() == [0, 1, 2]
