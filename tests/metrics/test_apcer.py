"""APCER, with PAI species pooled and of the worst."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

from fas_core import ScoreTable

Compute = Callable[..., dict[str, float]]
BuildTable = Callable[[list[tuple[float, str]]], ScoreTable]


def test_worked_example(compute: Compute, example: ScoreTable) -> None:
    """Print 1/3, replay 1/1."""
    assert compute("apcer", example, 0.5) == {"apcer": 2 / 4, "apcer_max": 1.0}


def test_one_attack_is_enough(compute: Compute, build_table: BuildTable) -> None:
    assert compute("apcer", build_table([(0.5, "print")]), 0.5) == {"apcer": 1.0, "apcer_max": 1.0}


def test_live_samples_alone_are_not_enough(compute: Compute, build_table: BuildTable) -> None:
    assert all(map(isnan, compute("apcer", build_table([(0.5, "live")]), 0.5).values()))


def test_it_needs_a_threshold(compute: Compute, example: ScoreTable) -> None:
    assert all(map(isnan, compute("apcer", example, None).values()))
