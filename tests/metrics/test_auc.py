"""Area under the ROC curve."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isnan

import pytest

from fas_core import ScoreTable

Compute = Callable[..., dict[str, float]]
BuildTable = Callable[[list[tuple[float, str]]], ScoreTable]


def test_worked_example(compute: Compute, example: ScoreTable) -> None:
    """Of 16 pairs, live 0.3 loses to 0.5 and 0.6."""
    assert compute("auc", example) == {"auc": 14 / 16}


def test_equal_scores_count_half(compute: Compute, build_table: BuildTable) -> None:
    assert compute("auc", build_table([(0.5, "live"), (0.5, "print")] * 2)) == {"auc": 0.5}


def test_infinite_scores(compute: Compute, build_table: BuildTable) -> None:
    scores = build_table([(inf, "live"), (0.0, "live"), (-inf, "print"), (inf, "print")])
    assert compute("auc", scores) == {"auc": (1.5 + 1) / 4}


@pytest.mark.parametrize("species", ["live", "print"])
def test_one_class_is_not_defined(compute: Compute, build_table: BuildTable, species: str) -> None:
    figures = compute("auc", build_table([(0.1, species), (0.7, species)]), 0.5)
    assert all(map(isnan, figures.values()))
