"""The fitted rules against brute force, scikit-learn and hand-worked numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from fas_core.errors import DataError
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.ensemble.fit import fit_logistic, fit_rule, fit_switch, fit_weights
from fas_plugins.commands.ensemble.joined_scores import join_scores
from fas_plugins.commands.ensemble.rule import RULES, FittedRule

Make = Callable[..., ScoreTable]


def errors(t: float, scores: np.ndarray, live: np.ndarray) -> int:
    """The published rule's errors, written out."""
    wrong = 0
    for column, is_live in zip(scores.T, live, strict=True):
        score = max(column) if sum(column) / len(column) > t else min(column)
        wrong += bool(score >= 0.5) != bool(is_live)
    return wrong


def likelihoods(seed: int, members: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Members of which the first is the best, and labels."""
    rng = np.random.default_rng(seed)
    live = rng.random(samples) < 0.4
    noise = rng.normal(0, np.arange(1, members + 1)[:, None], (members, samples))
    return 1 / (1 + np.exp(-(np.where(live, 2, -2) + noise))), live


def test_t_is_the_middle_of_the_widest_stretch_of_fewest_errors() -> None:
    # Means 0.3, 0.6 (live) and 0.25, 0.5 (attacks): t below 0.3 errs once, and so does t from 0.5 on.
    scores = np.array([[0.1, 0.55, 0.1, 0.45], [0.5, 0.65, 0.4, 0.55]])
    live = np.array([True, True, False, False])
    assert [errors(t, scores, live) for t in (0.1, 0.29, 0.31, 0.49, 0.5, 0.9)] == [1, 1, 2, 2, 1, 1]
    assert fit_switch(scores, live) == pytest.approx((0.5 + 1) / 2)


def test_t_lies_between_what_has_to_be_raised_and_what_has_to_be_lowered() -> None:
    # Raised from mean 0.6 (to 0.9) is right, and so is lowered at mean 0.4 (to 0.1).
    scores = np.array([[0.3, 0.7], [0.9, 0.1]])
    assert fit_switch(scores, np.array([True, False])) == pytest.approx((0.4 + 0.6) / 2)


def test_t_of_members_that_agree_is_where_the_published_grid_would_have_it() -> None:
    assert fit_switch(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([True, False])) == 0.5


EIGHTHS = st.integers(0, 8).map(lambda number: number / 8)
ROWS = st.integers(1, 4).flatmap(
    lambda members: st.lists(
        st.tuples(st.lists(EIGHTHS, min_size=members, max_size=members), st.booleans()),
        min_size=2,
        max_size=12,
    )
)


@settings(deadline=None)
@given(ROWS)
def test_no_t_errs_less(rows: list[tuple[list[float], bool]]) -> None:
    scores = np.array([row for row, _ in rows]).T
    live = np.array([label for _, label in rows])
    fewest = min(errors(i / 200, scores, live) for i in range(200))
    assert errors(fit_switch(scores, live), scores, live) == fewest


def test_t_between_neighbouring_numbers_still_tells_them_apart() -> None:
    low, high = 0.5, float(np.nextafter(0.5, 1))
    scores = np.array([[low - 0.25, high - 0.25], [low + 0.25, high + 0.25]])
    live = np.array([False, True])
    assert errors(fit_switch(scores, live), scores, live) == 0


def test_weights_by_hand() -> None:
    # One member is right with 0.8, the other undecided: the log loss falls all the way to the first.
    scores = np.array([[0.8, 0.2], [0.5, 0.5]])
    assert fit_weights(scores, np.array([True, False])) == pytest.approx([1, 0], abs=1e-4)
    # Likelihoods (0.8, 0.3) and (0.2, 0.6): d/dw [log(0.2 + 0.6 w) + log(0.6 - 0.3 w)] = 0 at w = 5/6.
    scores = np.array([[0.8, 0.7], [0.2, 0.4]])
    assert fit_weights(scores, np.array([True, False])) == pytest.approx([5 / 6, 1 / 6], abs=1e-2)


@pytest.mark.parametrize("members", [2, 3])
def test_no_weights_on_a_grid_have_less_log_loss(members: int) -> None:
    scores, live = likelihoods(members, members, 300)
    weights = fit_weights(scores, live)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    grid = np.linspace(0, 1, 41)
    points = np.stack(np.meshgrid(*[grid] * (members - 1)), -1).reshape(-1, members - 1)
    points = points[points.sum(axis=1) <= 1]
    points = np.column_stack([points, 1 - points.sum(axis=1)])
    least = min(log_loss(live, np.clip(point @ scores, 0, 1)) for point in points)
    assert log_loss(live, weights @ scores) <= least + 1e-6


def test_weights_of_certain_members_that_are_wrong_are_finite() -> None:
    scores = np.array([[1.0, 1.0, 0.0], [0.6, 0.4, 0.4]])
    weights = fit_weights(scores, np.array([True, False, False]))
    assert np.isfinite(weights).all()
    assert weights[1] > 0.4


def test_stacking_is_scikit_learns_logistic_regression() -> None:
    scores, live = likelihoods(1, 3, 200)
    weights, bias = fit_logistic(scores, live)
    middle, spread = scores.mean(axis=1), scores.std(axis=1)
    model = LogisticRegression().fit((scores.T - middle) / spread, live)
    ours = FittedRule("stacking", ("a", "b", "c"), tuple(weights), bias).combine(scores)
    assert ours == pytest.approx(model.predict_proba((scores.T - middle) / spread)[:, 1], abs=1e-12)


def test_stacking_does_not_depend_on_the_members_scales() -> None:
    scores, live = likelihoods(2, 2, 200)
    names = ("a", "b")
    ours = FittedRule("stacking", names, *fit_logistic(scores, live)).combine(scores)
    moved = scores * np.array([[1000.0], [0.01]]) - 7
    again = FittedRule("stacking", names, *fit_logistic(moved, live)).combine(moved)
    assert again == pytest.approx(ours, abs=1e-6)


def test_stacking_passes_over_a_member_that_says_always_the_same() -> None:
    scores, live = likelihoods(3, 2, 100)
    weights, _ = fit_logistic(np.stack([scores[0], np.full(100, 0.3)]), live)
    assert weights[1] == 0


@pytest.mark.parametrize("name", RULES)
def test_what_a_rule_is_fitted_on_leaves_out_nan_and_unlabelled_samples(name: Any, make_scores: Make) -> None:
    scores, live = likelihoods(4, 2, 60)
    names = ("a", "b")
    clean = fit_rule(
        name,
        names,
        join_scores({key: make_scores(row, live) for key, row in zip(names, scores, strict=True)}),
    )
    more = {
        key: make_scores([*row, np.nan if key == "a" else 0.5, 0.9], [*live, True, None])
        for key, row in zip(names, scores, strict=True)
    }
    assert fit_rule(name, names, join_scores(more)) == clean


@pytest.mark.parametrize("name", [name for name in RULES if name != "mean"])
def test_a_rule_that_is_fitted_needs_dev_scores_of_both_classes(name: Any, make_scores: Make) -> None:
    with pytest.raises(DataError, match="fitted on dev scores"):
        fit_rule(name, ("a",), None)
    with pytest.raises(DataError, match="2 live and 0 attacks"):
        fit_rule(name, ("a",), join_scores({"a": make_scores([0.1, 0.2, np.nan], [1, 1, 0])}))


@pytest.mark.parametrize("name", ["weighted", "published"])
def test_log_loss_and_errors_at_a_half_are_of_probabilities_only(name: Any, make_scores: Make) -> None:
    dev = join_scores(
        {"a": make_scores([0.1, 0.2], [1, 0]), "b": make_scores([-3.5, 7.25], [0, 1], ["s0", "s1"][::-1])}
    )
    with pytest.raises(DataError, match=r"b: scores from -3.5 to 7.25 .*--rule stacking"):
        fit_rule(name, ("a", "b"), dev)
    assert fit_rule("stacking", ("a", "b"), dev).weights
