"""How alike two systems are, by hand and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fas_plugins.commands.ensemble.agreement import measure_agreement


def test_disagreement_is_what_only_one_of_the_two_accepts() -> None:
    scores = np.array([[0.9, 0.6, 0.2, 0.1], [0.9, 0.2, 0.6, 0.1]])
    (found,) = measure_agreement(("a", "b"), scores, (0.5, 0.5))
    assert (found.first, found.second) == ("a", "b")
    assert found.disagreement == 0.5
    assert measure_agreement(("a", "b"), scores, (0.6, 0.95))[0].disagreement == 0.5
    assert measure_agreement(("a", "b"), scores, (0.0, 0.1))[0].disagreement == 0


def test_correlations_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(3, 200))
    scores[1] = np.round(scores[1], 1)  # ties
    scores[2] += scores[0]
    for found, (one, two) in zip(
        measure_agreement("abc", scores, (None,) * 3), ((0, 1), (0, 2), (1, 2)), strict=True
    ):
        assert found.pearson == pytest.approx(stats.pearsonr(scores[one], scores[two]).statistic)
        assert found.spearman == pytest.approx(stats.spearmanr(scores[one], scores[two]).statistic)
        assert np.isnan(found.disagreement)


def test_only_samples_that_both_have_a_score_for_count() -> None:
    scores = np.array([[1.0, 2.0, 3.0, np.nan, 9.0], [2.0, 4.0, 6.0, 0.0, np.nan]])
    (found,) = measure_agreement(("a", "b"), scores, (2.5, 3.0))
    assert found.pearson == pytest.approx(1)
    assert found.spearman == pytest.approx(1)
    assert found.disagreement == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "scores", [[[0.1, 0.1, 0.1], [0.1, 0.2, 0.3]], [[0.1], [0.2]], [[np.nan, 0.1], [0.1, np.nan]]]
)
def test_a_correlation_that_is_not_defined_is_nan(scores: list[list[float]]) -> None:
    (found,) = measure_agreement(("a", "b"), np.array(scores), (0.5, 0.5))
    assert np.isnan([found.pearson, found.spearman]).all()
