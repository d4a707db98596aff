"""Thresholds and results of the members and the ensemble, worked by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fas_core.config.recipe import Recipe
from fas_core.errors import DataError
from fas_core.evaluation import BoundMetric, bind_metrics
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.ensemble.evaluate import (
    OPTIMISTIC,
    check_overlap,
    compare_with_best_member,
    evaluate_systems,
    find_best_member,
    fit_thresholds,
)
from fas_plugins.commands.ensemble.joined_scores import JoinedScores, join_scores
from fas_plugins.commands.ensemble.rule import Ensemble, FittedRule

Make = Callable[..., ScoreTable]
MEAN = FittedRule("mean", ("a", "b"))
LABELS = [1, 1, 0, 0]


@pytest.fixture
def metrics() -> list[BoundMetric]:
    return bind_metrics(Recipe().metrics, registry())


@pytest.fixture
def scores(make_scores: Make) -> JoinedScores:
    """`a` accepts one attack at 0.5, `b` rejects one live sample, their mean is right on all four."""
    rows = {"a": [0.9, 0.8, 0.6, 0.1], "b": [0.8, 0.4, 0.2, 0.1]}
    return join_scores({name: make_scores(row, LABELS) for name, row in rows.items()})


@pytest.fixture
def dev(make_scores: Make) -> JoinedScores:
    """On dev `b` separates the classes and `a` does not."""
    ids = ["d0", "d1", "d2", "d3"]
    rows = {"a": [0.9, 0.3, 0.4, 0.1], "b": [0.9, 0.8, 0.3, 0.1]}
    return join_scores({name: make_scores(row, LABELS, ids) for name, row in rows.items()})


def test_each_system_has_the_threshold_of_its_own_dev_scores(scores: JoinedScores, dev: JoinedScores) -> None:
    ensemble = fit_thresholds(MEAN, scores, dev, "eer")
    expected = [table.rates.equal_error_threshold()[0] for table in dev.all_tables(MEAN)]
    assert ensemble.threshold is not None
    values = [*(threshold.value for threshold in ensemble.thresholds), ensemble.threshold.value]
    assert values == expected
    assert ensemble.threshold.source == "dev"


def test_without_dev_scores_only_policies_that_need_none(scores: JoinedScores) -> None:
    assert fit_thresholds(MEAN, scores, None, "eer") == Ensemble(MEAN)
    fixed = fit_thresholds(MEAN, scores, None, "fixed:0.5")
    assert [threshold.value for threshold in fixed.thresholds] == [0.5, 0.5]
    oracle = fit_thresholds(MEAN, scores, None, "oracle:eer")
    assert oracle.threshold is not None
    assert oracle.threshold.value == scores.combine(MEAN).rates.equal_error_threshold()[0]


def test_members_and_ensemble_are_evaluated_at_their_thresholds(
    scores: JoinedScores, metrics: list[BoundMetric]
) -> None:
    ensemble = fit_thresholds(MEAN, scores, None, "fixed:0.5")
    systems = evaluate_systems(scores, ensemble, metrics, ("a note",))
    rates = {system.name: system.result.metrics for system in systems}
    assert [(rates[name]["apcer"], rates[name]["bpcer"]) for name in ("a", "b", "ensemble")] == [
        (0.5, 0.0),
        (0.0, 0.5),
        (0.0, 0.0),
    ]
    assert ["a note" in system.result.notes for system in systems] == [False, False, True]
    assert [system.threshold for system in systems] == [0.5, 0.5, 0.5]


def test_without_thresholds_there_are_no_error_rates(
    scores: JoinedScores, metrics: list[BoundMetric]
) -> None:
    systems = evaluate_systems(scores, Ensemble(MEAN), metrics)
    assert [system.threshold for system in systems] == [None] * 3
    assert np.isnan([system.result.metrics["apcer"] for system in systems]).all()
    assert systems[-1].result.metrics["eer"] == 0


def test_the_reference_is_the_member_of_the_lowest_eer_on_dev(
    scores: JoinedScores, dev: JoinedScores, metrics: list[BoundMetric], make_scores: Make
) -> None:
    assert find_best_member(dev) == 1
    systems = evaluate_systems(scores, fit_thresholds(MEAN, scores, dev, "fixed:0.5"), metrics)
    comparison = compare_with_best_member(systems, dev, metrics, 0)
    assert (comparison.name, comparison.reference) == ("ensemble", "b")
    assert comparison.figures["bpcer"].value == -0.5
    equal = {name: make_scores([0.9, 0.8, 0.3, 0.1], LABELS) for name in "xy"}
    assert find_best_member(join_scores(equal)) == 0
    no_scores = {"x": make_scores([np.nan] * 4, LABELS), "y": make_scores([0.1, 0.2, 0.3, 0.4], LABELS)}
    assert find_best_member(join_scores(no_scores)) == 1


def test_results_on_the_dev_samples_themselves_get_a_note(
    scores: JoinedScores, dev: JoinedScores, make_scores: Make
) -> None:
    assert check_overlap(scores, None) == ()
    assert check_overlap(scores, dev) == ()
    assert check_overlap(dev, dev) == (OPTIMISTIC,)
    some = join_scores({"a": make_scores([0.5, 0.5, 0.5], None, ["d1", "d2", "x"])})
    with pytest.raises(DataError, match=r"2 samples are among those of dev.* the 3 to evaluate: d1, d2"):
        check_overlap(some, dev)
