"""Counts and quantiles of sorted scores, with and without weights, against a plain loop."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fas_core.scores.ranked import Ranked

SCORES = st.lists(
    st.sampled_from([-inf, -1.0, 0.0, 0.5, 0.5000000000000001, 2.0, inf]), min_size=1, max_size=12
)
RATES = st.sampled_from([0.0, 1e-2, 0.1, 0.25, 1 / 3, 0.5, 0.9, 0.999])
few = settings(max_examples=100, deadline=None, derandomize=True)


def ranked(scores: list[float]) -> Ranked:
    return Ranked.of(np.array(scores, np.float64))


@few
@given(SCORES, st.sampled_from([-inf, -1.0, 0.2, 0.5, 3.0, inf]), st.data())
def test_counts_are_those_of_the_repeated_scores(
    scores: list[float], threshold: float, data: st.DataObject
) -> None:
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(scores), max_size=len(scores)))
    weighted = ranked(scores).reweight(np.array(weights))
    repeated = [score for score, weight in zip(sorted(scores), weights, strict=True) for _ in range(weight)]
    assert weighted.total == len(repeated)
    assert weighted.expand().tolist() == repeated
    assert weighted.weights.tolist() == weights
    assert int(weighted.count_below(threshold)) == sum(score < threshold for score in repeated)
    assert int(weighted.count_at_least(threshold)) == sum(score >= threshold for score in repeated)
    assert int(weighted.count_above(threshold)) == sum(score > threshold for score in repeated)


@few
@given(SCORES, RATES, st.data())
def test_quantiles_leave_at_most_the_rate_beyond_them(
    scores: list[float], rate: float, data: st.DataObject
) -> None:
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(scores), max_size=len(scores)).filter(any))
    weighted = ranked(scores).reweight(np.array(weights))
    repeated = ranked(weighted.expand().tolist())
    total, distinct = weighted.total, sorted(set(weighted.expand().tolist()))
    upper = min(score for score in distinct if int(weighted.count_above(score)) / total <= rate)
    lower = max(score for score in distinct if int(weighted.count_below(score)) / total <= rate)
    assert weighted.upper_quantile(rate) == repeated.upper_quantile(rate) == upper
    assert weighted.lower_quantile(rate) == repeated.lower_quantile(rate) == lower


def test_thresholds_may_be_an_array() -> None:
    found = ranked([0.1, 0.5, 0.5, nan])
    assert found.total == 3
    assert found.count_below(np.array([[0.0, 0.5], [0.6, 1.0]])).tolist() == [[0, 1], [3, 3]]


@pytest.mark.parametrize("count", [3, 29, 300, 1000])
def test_a_rate_that_divides_exactly_is_reached(count: int) -> None:
    scores = ranked([float(index) for index in range(count)])
    for above in range(min(count, 30)):
        assert scores.upper_quantile(above / count) == count - 1 - above
        assert scores.lower_quantile(above / count) == above
