"""The permutation test against every division of a few groups."""

from __future__ import annotations

from itertools import combinations
from math import comb, nan

import numpy as np
import pytest
from scipy import stats

from fas_plugins.commands.drift.permutation import PermutationTest, smallest_p_value


def test_p_values_are_those_of_every_division() -> None:
    """Groups of unlike size, three old and four new: each of the 35 divisions by hand."""
    rng = np.random.default_rng(0)
    sizes = [3, 1, 4, 2, 5, 2, 3]
    groups = np.repeat(np.arange(7), sizes)
    scores = rng.normal(0, 1, len(groups)) + (groups >= 3)
    totals, hits = np.array(sizes, float)[:, None], np.bincount(groups, scores < 0.4, 7)[:, None]
    test = PermutationTest.of(scores, groups, 3, totals, hits)

    def measure(new: tuple[int, ...]) -> tuple[float, float]:
        is_new = np.isin(groups, new)
        rates = [(scores[side] < 0.4).mean() for side in (is_new, ~is_new)]
        return stats.ks_2samp(scores[is_new], scores[~is_new]).statistic, abs(rates[0] - rates[1])

    every = np.array([measure(new) for new in combinations(range(7), 4)])
    observed = np.array(measure((3, 4, 5, 6)))
    assert np.abs(test.compute_differences(test.observed)[0]) == pytest.approx(observed)
    expected = (every >= observed - 1e-12).mean(axis=0)
    assert test.compute_p_values(20_000, 0) == pytest.approx(expected, abs=0.015)


def test_the_smallest_p_value_is_one_in_all_divisions() -> None:
    for old, new in ((1, 1), (3, 3), (3, 4), (1, 19), (8, 8)):
        assert smallest_p_value(old, new) == pytest.approx((2 if old == new else 1) / comb(old + new, old))
    assert smallest_p_value(10**6, 10**6) == 0.0


def test_a_side_without_samples_has_no_rate_and_scores_without_a_number_are_left_out() -> None:
    test = PermutationTest.of(
        np.array([0.1, nan, 0.9]),
        np.array([0, 1, 2]),
        old=2,
        totals=np.array([[0.0], [0.0], [1.0]]),
        hits=np.array([[0.0], [0.0], [1.0]]),
    )
    distance, rate = test.compute_differences(test.observed)[0]
    assert distance == 1
    assert np.isnan(rate)
    assert test.groups.tolist() == [0, 2]
