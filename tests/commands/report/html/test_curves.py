"""Points of curves against scikit-learn and SciPy: all of them, or close to all where they are thinned."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_curve

from fas_core.scores.rates import ErrorRates
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.report.html.curves import error_curve, histogram, normal_deviate

SCORES = st.lists(st.floats(-2, 2) | st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=30)


def rates_of(live: list[float] | np.ndarray, attack: list[float] | np.ndarray) -> ErrorRates:
    return ErrorRates.of(np.asarray(live, np.float64), np.asarray(attack, np.float64))


def table(live: list[float], attack: list[float]) -> ScoreTable:
    scores = [*live, *attack]
    labels = [1] * len(live) + [0] * len(attack)
    return ScoreTable.of({"id": [str(row) for row in range(len(scores))], "score": scores, "label": labels})


def sklearn_points(live: np.ndarray, attack: np.ndarray) -> np.ndarray:
    labels = np.r_[np.ones(len(live)), np.zeros(len(attack))]
    fpr, tpr, _ = roc_curve(labels, np.r_[live, attack], drop_intermediate=False)
    return np.stack([fpr, 1 - tpr], axis=1)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(SCORES, SCORES)
def test_all_points_are_those_of_scikit_learn(live: list[float], attack: list[float]) -> None:
    curve = error_curve(rates_of(live, attack))
    expected = sklearn_points(np.array(live), np.array(attack))
    assert np.allclose(np.stack([curve.apcer, curve.bpcer], axis=1)[::-1], expected, atol=1e-12)


def test_by_hand() -> None:
    live, attack = np.array([0.6, 0.9]), np.array([0.1, 0.6, 0.7])
    rates = ErrorRates.of(live, attack, {"print": attack[:2], "replay": attack[2:]})
    curve = error_curve(rates)
    assert curve.thresholds.tolist() == [0.1, 0.6, 0.7, 0.9, np.nextafter(0.9, 1)]
    assert curve.apcer == pytest.approx([1, 2 / 3, 1 / 3, 0, 0])
    assert curve.apcer_max == pytest.approx([1, 1, 1, 0, 0])
    assert curve.bpcer == pytest.approx([0, 0, 0.5, 0.5, 1])


def test_infinite_scores_are_never_refused() -> None:
    curve = error_curve(rates_of([1.0, inf], [-inf, 0.0]))
    assert curve.thresholds.tolist() == [-inf, 0.0, 1.0, inf]
    assert curve.bpcer.tolist() == [0, 0, 0, 0.5]


@pytest.mark.parametrize("decimals", [12, 3])
def test_a_thinned_curve_passes_close_by_every_point(decimals: int) -> None:
    rng = np.random.default_rng(3)
    live, attack = rng.normal(1, 1, 30_000).round(decimals), rng.normal(-1, 1, 50_000).round(decimals)
    curve = error_curve(rates_of(live, attack), points=500)
    assert len(curve.thresholds) < 1_000
    kept, every = np.stack([curve.apcer, curve.bpcer], axis=1), sklearn_points(live, attack)
    for point in every[:: len(every) // 500]:
        assert np.abs(kept - point).max(axis=1).min() <= 2 / 500


def test_a_thinned_curve_keeps_its_ends_whole() -> None:
    rng = np.random.default_rng(4)
    live, attack = rng.normal(1, 1, 100_000), rng.normal(-1, 1, 100_000)
    curve = error_curve(rates_of(live, attack))
    assert {1e-5, 2e-5, 3e-5, 4e-5} <= set(curve.apcer.round(9))
    assert {1e-5, 2e-5, 3e-5, 4e-5} <= set(curve.bpcer.round(9))
    assert (curve.apcer[0], curve.bpcer[0]) == (1, 0)
    assert (curve.apcer[-1], curve.bpcer[-1]) == (0, 1)
    for cut, apcer in zip(curve.thresholds[::100], curve.apcer[::100], strict=True):
        assert apcer == np.mean(attack >= cut)


def test_normal_deviates_are_scipys() -> None:
    rates = np.array([1e-6, 0.01, 0.5, 0.9, 0.999])
    assert normal_deviate(rates) == pytest.approx(norm.ppf(rates))


def test_a_histogram_says_where_each_class_is() -> None:
    found = histogram(table([0.9, 1.0, 1.0, nan], [0.0, 0.1]), bins=10)
    assert found.edges == pytest.approx(np.linspace(0, 1, 11))
    assert found.live.tolist() == [0] * 9 + [1]
    assert found.attack.tolist() == [0.5, 0.5] + [0] * 8


def test_far_outliers_and_infinite_scores_fall_into_the_outermost_bins() -> None:
    live = np.linspace(0.5, 1, 500).tolist()
    found = histogram(table([*live, 1e9, inf, 1e300], [*np.linspace(0, 0.6, 500).tolist(), -inf, -40.0]))
    assert found.edges[0] >= -1.01
    assert found.edges[-1] <= 2.01
    assert found.live[-1] == pytest.approx(3 / 503)
    assert found.attack[0] == pytest.approx(2 / 502)
    assert found.live.sum() == pytest.approx(1)
    assert found.attack.sum() == pytest.approx(1)


def test_a_histogram_of_one_class() -> None:
    one_class = histogram(table([0.2, 0.4], []))
    assert one_class.live.sum() == 1
    assert not one_class.attack.any()
