"""The rules by hand, and the ensemble as a JSON file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fas_core.errors import FasError
from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.ensemble.rule import Ensemble, FittedRule

AB = ("a", "b")
RULES = [
    FittedRule("mean", AB),
    FittedRule("weighted", AB, (0.1 + 0.2, 0.7)),
    FittedRule("stacking", AB, (1.0, -2.5), bias=0.1),
    FittedRule("published", AB, t=0.1),
    FittedRule("published", AB, t=0.9),
]


def test_each_rule_by_hand() -> None:
    scores = np.array([[0.2, 0.9, 0.6], [0.4, 0.5, 0.0]])
    assert FittedRule("mean", AB).combine(scores) == pytest.approx([0.3, 0.7, 0.3])
    assert FittedRule("weighted", AB, (0.75, 0.25)).combine(scores) == pytest.approx([0.25, 0.8, 0.45])
    stacked = FittedRule("stacking", AB, (1.0, -2.0), bias=0.5).combine(scores)
    assert stacked == pytest.approx([1 / (1 + np.exp(-x)) for x in (-0.1, 0.4, 1.1)])
    assert FittedRule("published", AB, t=0.3).combine(scores).tolist() == [0.4, 0.9, 0.0]
    assert FittedRule("published", AB, t=0.29).combine(scores).tolist() == [0.4, 0.9, 0.6]


def test_the_published_rule_takes_the_minimum_where_the_mean_equals_t() -> None:
    assert FittedRule("published", AB, t=0.5).combine(np.array([[0.25], [0.75]])).tolist() == [0.25]


@pytest.mark.parametrize("rule", RULES)
def test_a_sample_without_the_score_of_a_member_has_none(rule: FittedRule) -> None:
    combined = rule.combine(np.array([[0.2, np.nan, 0.4, 0.3], [0.5, 0.6, np.nan, 0.1]]))
    assert np.isnan(combined).tolist() == [False, True, True, False]


def test_stacking_stays_a_probability_for_extreme_scores() -> None:
    combined = FittedRule("stacking", ("a",), (1000.0,)).combine(np.array([[-1e6, -1.0, 0.0, 1e6]]))
    assert combined[0] == 0
    assert 0 <= combined[1] < 1e-300
    assert combined[2:].tolist() == [0.5, 1]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (FittedRule("mean", AB), "mean: of 2 members"),
        (FittedRule("weighted", AB, (0.25, 0.75)), "weighted: 0.25 of x, 0.75 of y"),
        (FittedRule("stacking", AB, (1.0, -2.5), 0.5), "stacking: 1 of x, -2.5 of y, bias 0.5"),
        (
            FittedRule("published", AB, t=0.5),
            "published: the largest score where the mean is above 0.5, else the smallest",
        ),
    ],
)
def test_a_rule_is_described_with_the_members_present_names(rule: FittedRule, text: str) -> None:
    assert rule.describe(("x", "y")) == text


@pytest.mark.parametrize("rule", RULES)
def test_an_ensemble_is_read_back_exactly(rule: FittedRule, tmp_path: Path) -> None:
    threshold = Threshold(0.1 + 0.2, "eer", "dev")
    ensemble = Ensemble(rule, threshold, (threshold, Threshold(0.25, "eer", "dev")))
    ensemble.write(tmp_path / "e.json")
    assert Ensemble.read(tmp_path / "e.json") == ensemble


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("{", "not JSON: "),
        ("[]", "must be a mapping"),
        ('{"rule": {"name": "mode", "members": ["a"]}}', "rule.name"),
        ('{"rule": {"name": "mean"}}', "rule.members: is required"),
        ('{"rule": {"name": "mean", "members": ["a"], "weigths": [1]}}', "did you mean 'weights'"),
        ('{"rule": {"name": "weighted", "members": ["a", "b"], "weights": [1]}}', "missing or additional"),
        ('{"rule": {"name": "published", "members": ["a"]}}', "missing or additional"),
        ('{"rule": {"name": "mean", "members": ["a"], "t": 0.5}}', "missing or additional"),
        ('{"rule": {"name": "mean", "members": []}}', "missing or additional"),
        (
            '{"rule": {"name": "stacking", "members": ["a"], "weights": [NaN]}}',
            "must be a finite number: nan",
        ),
    ],
)
def test_a_file_that_is_no_ensemble_is_refused_in_one_line(
    text: str | None, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "e.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(FasError) as caught:
        Ensemble.read(file)
    assert message in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
