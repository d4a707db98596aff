"""ACER, with PAI species pooled and with the worst."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isnan

import pytest

from fas_core import ScoreTable

Compute = Callable[..., dict[str, float]]
BuildTable = Callable[[list[tuple[float, str]]], ScoreTable]


def test_worked_example(compute: Compute, example: ScoreTable) -> None:
    """BPCER is 1/4, APCER is 2/4 pooled and 1 of the replay."""
    assert compute("acer", example, 0.5) == {"acer": (2 / 4 + 1 / 4) / 2, "acer_max": (1 + 1 / 4) / 2}


def test_infinite_scores(compute: Compute, build_table: BuildTable) -> None:
    scores = build_table([(inf, "live"), (0.0, "live"), (-inf, "print"), (inf, "print")])
    assert compute("acer", scores, 0.0)["acer"] == 0.25


@pytest.mark.parametrize("species", ["live", "print"])
def test_one_class_is_not_defined(compute: Compute, build_table: BuildTable, species: str) -> None:
    figures = compute("acer", build_table([(0.1, species), (0.7, species)]), 0.5)
    assert all(map(isnan, figures.values()))


def test_it_needs_a_threshold(compute: Compute, example: ScoreTable) -> None:
    assert all(map(isnan, compute("acer", example, None).values()))
