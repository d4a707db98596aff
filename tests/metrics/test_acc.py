"""Accuracy."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

from fas_core import ScoreTable

Compute = Callable[..., dict[str, float]]
BuildTable = Callable[[list[tuple[float, str]]], ScoreTable]


def test_worked_example(compute: Compute, example: ScoreTable) -> None:
    """Wrong: live 0.3, print 0.6, replay 0.5 (a score at the threshold is accepted)."""
    assert compute("acc", example, 0.5) == {"acc": 5 / 8}


def test_one_sample_is_enough(compute: Compute, build_table: BuildTable) -> None:
    assert compute("acc", build_table([(0.5, "live")]), 0.5) == {"acc": 1.0}
    assert compute("acc", build_table([(0.5, "print")]), 0.5) == {"acc": 0.0}


def test_it_needs_a_threshold(compute: Compute, example: ScoreTable) -> None:
    assert all(map(isnan, compute("acc", example, None).values()))
