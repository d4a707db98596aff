"""Equal error rate."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

import pytest

from fas_core import ScoreTable

Compute = Callable[..., dict[str, float]]
BuildTable = Callable[[list[tuple[float, str]]], ScoreTable]


def test_worked_example(compute: Compute, example: ScoreTable) -> None:
    """Between 0.5 and 0.6: one of four attacks above, one of four live samples below."""
    assert compute("eer", example) == {"eer": 0.25}


def test_equal_scores(compute: Compute, build_table: BuildTable) -> None:
    assert compute("eer", build_table([(0.5, "live"), (0.5, "print")] * 2)) == {"eer": 0.5}


@pytest.mark.parametrize("species", ["live", "print"])
def test_one_class_is_not_defined(compute: Compute, build_table: BuildTable, species: str) -> None:
    figures = compute("eer", build_table([(0.1, species), (0.7, species)]), 0.5)
    assert all(map(isnan, figures.values()))
