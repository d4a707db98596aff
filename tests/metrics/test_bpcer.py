"""BPCER."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

from fas_core import ScoreTable

Compute = Callable[..., dict[str, float]]
BuildTable = Callable[[list[tuple[float, str]]], ScoreTable]


def test_worked_example(compute: Compute, example: ScoreTable) -> None:
    assert compute("bpcer", example, 0.5) == {"bpcer": 1 / 4}


def test_attacks_alone_are_not_enough(compute: Compute, build_table: BuildTable) -> None:
    assert isnan(compute("bpcer", build_table([(0.5, "print")]), 0.5)["bpcer"])


def test_it_needs_a_threshold(compute: Compute, example: ScoreTable) -> None:
    assert all(map(isnan, compute("bpcer", example, None).values()))
