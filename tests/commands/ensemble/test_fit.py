"""The rules by hand, against brute force and against scikit-learn; what is fitted, and on what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from fas_core.errors import DataError, FasError
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.ensemble import RULES, Ensemble, Rule, fit, joined
from fas_plugins.commands.ensemble.fit import fit_logistic, fit_t, fit_weights

LIVE = np.array([True, True, True, False, False, False])


def table(scores: Any, labels: Any = None, ids: Any = None, **columns: Any) -> ScoreTable:
    count = len(scores)
    names = ids if ids is not None else [f"s{number}" for number in range(count)]
    known = None if labels is None else [None if label is None else int(label) for label in labels]
    return ScoreTable.of({"id": names, "score": scores, "label": known, **columns})


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


def test_each_rule_by_hand() -> None:
    scores = np.array([[0.2, 0.9, 0.6], [0.4, 0.5, 0.0]])
    assert Rule("mean", ("a", "b"))(scores) == pytest.approx([0.3, 0.7, 0.3])
    assert Rule("weighted", ("a", "b"), (0.75, 0.25))(scores) == pytest.approx([0.25, 0.8, 0.45])
    stacked = Rule("stacking", ("a", "b"), (1.0, -2.0), bias=0.5)(scores)
    assert stacked == pytest.approx([1 / (1 + np.exp(-x)) for x in (-0.1, 0.4, 1.1)])
    assert Rule("published", ("a", "b"), t=0.3)(scores).tolist() == [0.4, 0.9, 0.0]
    assert Rule("published", ("a", "b"), t=0.29)(scores).tolist() == [0.4, 0.9, 0.6]


def test_the_published_rule_takes_the_minimum_where_the_mean_is_just_t() -> None:
    assert Rule("published", ("a", "b"), t=0.5)(np.array([[0.25], [0.75]])).tolist() == [0.25]


@pytest.mark.parametrize(
    "rule",
    [
        Rule("mean", ("a", "b")),
        Rule("weighted", ("a", "b"), (1.0, 0.0)),
        Rule("stacking", ("a", "b"), (1.0, 0.0)),
        Rule("published", ("a", "b"), t=0.1),
        Rule("published", ("a", "b"), t=0.9),
    ],
)
def test_a_sample_that_any_member_has_no_score_for_has_none(rule: Rule) -> None:
    found = rule(np.array([[0.2, np.nan, 0.4, 0.3], [0.5, 0.6, np.nan, 0.1]]))
    assert np.isnan(found).tolist() == [False, True, True, False]


def test_stacking_stays_a_probability_however_far_the_scores() -> None:
    found = Rule("stacking", ("a",), (1000.0,))(np.array([[-1e6, -1.0, 0.0, 1e6]]))
    assert found[0] == 0
    assert 0 <= found[1] < 1e-300
    assert found[2:].tolist() == [0.5, 1]


def test_t_is_the_middle_of_the_widest_stretch_of_fewest_errors() -> None:
    # Means 0.3, 0.6 (live) and 0.25, 0.5 (attacks): t below 0.3 errs once, and so does t from 0.5 on.
    scores = np.array([[0.1, 0.55, 0.1, 0.45], [0.5, 0.65, 0.4, 0.55]])
    live = np.array([True, True, False, False])
    assert [errors(t, scores, live) for t in (0.1, 0.29, 0.31, 0.49, 0.5, 0.9)] == [1, 1, 2, 2, 1, 1]
    assert fit_t(scores, live) == pytest.approx((0.5 + 1) / 2)


def test_t_lies_between_what_has_to_be_raised_and_what_has_to_be_lowered() -> None:
    # Raised from mean 0.6 (to 0.9) is right, and so is lowered at mean 0.4 (to 0.1).
    scores = np.array([[0.3, 0.7], [0.9, 0.1]])
    assert fit_t(scores, np.array([True, False])) == pytest.approx((0.4 + 0.6) / 2)


def test_t_of_members_that_agree_is_where_the_published_grid_would_have_it() -> None:
    assert fit_t(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([True, False])) == 0.5


EIGHTHS = st.integers(0, 8).map(lambda number: number / 8)
ROWS = st.integers(1, 4).flatmap(
    lambda members: st.lists(
        st.tuples(st.lists(EIGHTHS, min_size=members, max_size=members), st.booleans()),
        min_size=2,
        max_size=12,
    )
)


@given(ROWS)
def test_no_t_errs_less(rows: list[tuple[list[float], bool]]) -> None:
    scores = np.array([row for row, _ in rows]).T
    live = np.array([label for _, label in rows])
    fewest = min(errors(i / 200, scores, live) for i in range(200))
    assert errors(fit_t(scores, live), scores, live) == fewest


def test_t_between_neighbouring_numbers_still_tells_them_apart() -> None:
    low, high = 0.5, float(np.nextafter(0.5, 1))
    scores = np.array([[low - 0.25, high - 0.25], [low + 0.25, high + 0.25]])
    live = np.array([False, True])
    assert errors(fit_t(scores, live), scores, live) == 0


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
    ours = Rule("stacking", ("a", "b", "c"), tuple(weights), bias)(scores)
    assert ours == pytest.approx(model.predict_proba((scores.T - middle) / spread)[:, 1], abs=1e-12)


def test_stacking_does_not_depend_on_the_members_scales() -> None:
    scores, live = likelihoods(2, 2, 200)
    names = ("a", "b")
    ours = Rule("stacking", names, *fit_logistic(scores, live))(scores)
    moved = scores * np.array([[1000.0], [0.01]]) - 7
    again = Rule("stacking", names, *fit_logistic(moved, live))(moved)
    assert again == pytest.approx(ours, abs=1e-6)


def test_stacking_passes_over_a_member_that_says_always_the_same() -> None:
    scores, live = likelihoods(3, 2, 100)
    weights, _ = fit_logistic(np.stack([scores[0], np.full(100, 0.3)]), live)
    assert weights[1] == 0


def test_rows_are_joined_by_id_whatever_their_order() -> None:
    rng = np.random.default_rng(0)
    ids = [f"s{number}" for number in range(6)]
    ours = table(rng.random(6), LIVE, ids)
    order = rng.permutation(6)
    theirs = rng.random(6)
    shuffled = table(theirs[order], LIVE[order], [ids[row] for row in order])
    found = joined({"ours": ours, "theirs": shuffled})
    assert found.like.table.column("id").to_pylist() == ids
    assert found.scores.tolist() == [ours.scores.tolist(), theirs.tolist()]
    assert found.member(1).scores.tolist() == theirs.tolist()


def test_the_ensemble_keeps_what_is_known_of_the_samples() -> None:
    first = table([0.25, 0.5], [1, 0], species=["live", "print"], subject=["p", "q"])
    found = joined({"a": first, "b": table([0.75, 0.5], [1, 0])}).by(Rule("mean", ("a", "b")))
    assert found.scores.tolist() == [0.5, 0.5]
    assert found.table.column("subject").to_pylist() == ["p", "q"]
    assert found.table.column("species").to_pylist() == ["live", "print"]


def test_a_member_without_labels_takes_the_others() -> None:
    found = joined({"a": table([0.1, 0.2]), "b": table([0.2, 0.1], [1, 0], ["s1", "s0"])})
    assert found.like.labels.tolist() == [1, 0]
    assert found.scores.tolist() == [[0.2, 0.1], [0.2, 0.1]]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (table([0.1, 0.2, 0.3], [1, 0, 0], ["s0", "s1", "x"]), ["a and b", "1 ids only in", "s2, x"]),
        (table([0.1, 0.2], [1, 0]), ["a and b", "1 ids only in the first", "s2"]),
        (table([0.1, 0.2, 0.3], [1, 1, 0]), ["a and b", "label 1 samples differently", "s1"]),
        (table([0.1, np.inf, -np.inf], [1, 0, 0]), ["b: 2 of 3 scores are infinite"]),
    ],
)
def test_members_that_do_not_go_together_are_refused_in_one_line(other: ScoreTable, said: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        joined({"a": table([0.5, 0.5, 0.5], [1, 0, 0]), "b": other})
    assert "\n" not in str(caught.value)
    for text in said:
        assert text in str(caught.value)


@pytest.mark.parametrize("name", RULES)
def test_what_a_rule_is_fitted_on_leaves_out_nan_and_unlabelled_samples(name: Any) -> None:
    scores, live = likelihoods(4, 2, 60)
    names = ("a", "b")
    clean = fit(name, names, joined({key: table(row, live) for key, row in zip(names, scores, strict=True)}))
    more = {
        key: table([*row, np.nan if key == "a" else 0.5, 0.9], [*live, True, None])
        for key, row in zip(names, scores, strict=True)
    }
    assert fit(name, names, joined(more)) == clean


@pytest.mark.parametrize("name", [name for name in RULES if name != "mean"])
def test_a_rule_that_is_fitted_needs_dev_scores_of_both_classes(name: Any) -> None:
    with pytest.raises(DataError, match="fitted on dev scores"):
        fit(name, ("a",), None)
    with pytest.raises(DataError, match="2 live and 0 attacks"):
        fit(name, ("a",), joined({"a": table([0.1, 0.2, np.nan], [1, 1, 0])}))


@pytest.mark.parametrize("name", ["weighted", "published"])
def test_log_loss_and_errors_at_a_half_are_of_probabilities_only(name: Any) -> None:
    dev = joined({"a": table([0.1, 0.2], [1, 0]), "b": table([-3.5, 7.25], [0, 1], ["s0", "s1"][::-1])})
    with pytest.raises(DataError, match=r"b: scores from -3.5 to 7.25 .*--rule stacking"):
        fit(name, ("a", "b"), dev)
    assert fit("stacking", ("a", "b"), dev).weights


@pytest.mark.parametrize("name", RULES)
def test_an_ensemble_reads_back_as_it_was_written(name: Any, tmp_path: Path) -> None:
    scores, live = likelihoods(5, 2, 50)
    names = ("runs/a", "runs/b")
    rule = fit(name, names, joined({key: table(row, live) for key, row in zip(names, scores, strict=True)}))
    cut = Threshold(0.1 + 0.2, "eer", "dev")
    ensemble = Ensemble(rule, cut, (cut, Threshold(0.25, "eer", "dev")))
    ensemble.write(tmp_path / "e.json")
    assert Ensemble.read(tmp_path / "e.json") == ensemble


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("{", "not an ensemble"),
        ("[]", "must be a mapping"),
        ('{"rule": {"name": "mode", "members": ["a"]}}', "rule.name"),
        ('{"rule": {"name": "mean"}}', "rule.members: is required"),
        ('{"rule": {"name": "mean", "members": ["a"], "weigths": [1]}}', "did you mean 'weights'"),
        ('{"rule": {"name": "weighted", "members": ["a", "b"], "weights": [1]}}', "without what it needs"),
        ('{"rule": {"name": "published", "members": ["a"]}}', "without what it needs"),
        ('{"rule": {"name": "mean", "members": ["a"], "t": 0.5}}', "or with more"),
        ('{"rule": {"name": "mean", "members": []}}', "without what it needs"),
        ('{"rule": {"name": "stacking", "members": ["a"], "weights": [NaN]}}', "without what it needs"),
    ],
)
def test_what_is_no_ensemble_is_refused_in_one_line(text: str | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "e.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(FasError) as caught:
        Ensemble.read(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
