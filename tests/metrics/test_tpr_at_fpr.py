"""TPR at given FPRs."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

import pytest

from fas_core import ScoreTable

Compute = Callable[..., dict[str, float]]
BuildTable = Callable[[list[tuple[float, str]]], ScoreTable]


def test_worked_example(compute: Compute, example: ScoreTable) -> None:
    """No attack may pass: accept above 0.6."""
    assert compute("tpr_at_fpr", example) == {"tpr@fpr=1e-2": 3 / 4, "tpr@fpr=1e-3": 3 / 4}


def test_equal_scores(compute: Compute, build_table: BuildTable) -> None:
    scores = build_table([(0.5, "live"), (0.5, "print")] * 2)
    assert compute("tpr_at_fpr", scores) == {"tpr@fpr=1e-2": 0.0, "tpr@fpr=1e-3": 0.0}


def test_fprs_name_their_figures(compute: Compute, example: ScoreTable) -> None:
    figures = compute("tpr_at_fpr", example, fprs=[0.05, 0.0125, 1e-4])
    assert list(figures) == ["tpr@fpr=5e-2", "tpr@fpr=1.25e-2", "tpr@fpr=1e-4"]
    assert compute("tpr_at_fpr", example, fprs=[0.5])["tpr@fpr=5e-1"] == 1.0


@pytest.mark.parametrize("species", ["live", "print"])
def test_one_class_is_not_defined(compute: Compute, build_table: BuildTable, species: str) -> None:
    figures = compute("tpr_at_fpr", build_table([(0.1, species), (0.7, species)]), 0.5)
    assert all(map(isnan, figures.values()))
