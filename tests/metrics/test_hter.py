"""HTER."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

import pytest

from fas_core import ScoreTable

Compute = Callable[..., dict[str, float]]
BuildTable = Callable[[list[tuple[float, str]]], ScoreTable]


def test_it_is_the_mean_of_both_error_rates(compute: Compute, build_table: BuildTable) -> None:
    samples = [(0.9, "live"), (0.3, "live"), (0.6, "print"), (0.1, "print"), (0.2, "replay"), (0.4, "replay")]
    assert compute("hter", build_table(samples), 0.5) == {"hter": (1 / 4 + 1 / 2) / 2}


@pytest.mark.parametrize("species", ["live", "print"])
def test_one_class_is_not_defined(compute: Compute, build_table: BuildTable, species: str) -> None:
    figures = compute("hter", build_table([(0.1, species), (0.7, species)]), 0.5)
    assert all(map(isnan, figures.values()))


def test_it_needs_a_threshold(compute: Compute, example: ScoreTable) -> None:
    assert all(map(isnan, compute("hter", example, None).values()))
