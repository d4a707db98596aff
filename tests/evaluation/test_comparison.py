"""Two systems compared: their differences, what makes one clear, and what cannot be compared."""

from __future__ import annotations

import json
from math import nan

import numpy as np
import pytest
from attrs import evolve, frozen

from fas_core.config.recipe import Recipe
from fas_core.evaluation import Result, bind_metrics, evaluate
from fas_core.evaluation.comparison import Comparison, Difference, compare, comparison_table
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

METRICS = bind_metrics(Recipe().metrics, registry())


@frozen(eq=False)
class Scored:
    name: str
    scores: ScoreTable
    result: Result


def system(name: str, quality: float, policy: str = "fixed:0.5", prefix: str = "") -> Scored:
    """60 samples of 20 subjects; the higher the quality, the farther the classes lie apart."""
    rng = np.random.default_rng(3)
    labels = np.arange(60) % 2
    scores = ScoreTable.of(
        {
            "id": [f"{prefix}{row}" for row in range(60)],
            "score": 0.5 + quality * (labels - 0.5) + rng.normal(0, 0.4, 60),
            "label": labels,
            "subject": [str(row // 3) for row in range(60)],
        }
    )
    threshold = Threshold(0.5, policy, "given")
    return Scored(name, scores, evaluate(scores, METRICS, threshold, name=name))


@pytest.mark.parametrize(
    ("low", "high", "clear"),
    [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False), (0.0, 0.1, False), (nan, nan, False)],
)
def test_a_difference_is_clear_where_its_interval_excludes_zero(low: float, high: float, clear: bool) -> None:
    difference = Difference(0.5, 0.375, low, high)
    assert difference.value == 0.125
    assert difference.clear == clear


def test_every_further_system_is_compared_with_the_first() -> None:
    first, second, third = system("one", 0.5), system("two", 3.0), system("three", 0.5)
    better, same = compare([first, second, third], METRICS, replicates=50)
    assert (better.name, better.reference, same.name, same.reference) == ("two", "one", "three", "one")
    acer = better.figures["acer"]
    assert acer.value == second.result.metrics["acer"] - first.result.metrics["acer"]
    assert acer.low <= acer.value <= acer.high < 0
    assert acer.clear
    # No person of 20 differs: as for no error of 20, which is no proof of equality.
    limit = 1 - 0.025 ** (1 / 20)
    assert {item.value for item in same.figures.values()} == {0.0}
    for item in same.figures.values():
        assert (item.low, item.high) == pytest.approx((-limit, limit))
        assert not item.clear
    document = json.loads(json.dumps(better.to_json(), allow_nan=False))
    assert document["figures"]["acer"] == {"difference": acer.value, "interval": [acer.low, acer.high]}
    assert (document["why"], document["notes"]) == (None, [])


def test_the_table_has_both_values_and_marks_what_is_clear() -> None:
    (comparison,) = compare(
        [system("one", 0.5), system("a system of a long name", 3.0)], METRICS, replicates=50
    )
    table = comparison_table(comparison)
    assert list(table.columns) == ["", "one", "a system of a\nlong name", "difference", "from", "to", ""]
    rows = {row[0]: row for row in table.rows}
    acer = comparison.figures["acer"]
    assert rows["ACER pooled"][1:4] == tuple(
        f"{100 * value:.2f}" for value in (acer.reference, acer.system, acer.value)
    )
    assert rows["AUC"][3].startswith("+")
    assert rows["ACER pooled"][-1] == "clear"
    assert "50 bootstrap replicates over 20 subjects" in table.note


def test_without_replicates_there_are_no_intervals() -> None:
    (comparison,) = compare([system("one", 0.5), system("two", 3.0)], METRICS, replicates=0)
    assert comparison.intervals is None
    row = comparison_table(comparison).rows[0]
    assert tuple(row[-3:]) == ("-", "-", "")
    assert comparison.to_json()["figures"]["acer"]["interval"] == [None, None]


def test_other_samples_are_not_compared() -> None:
    (comparison,) = compare([system("one", 0.5), system("two", 0.5, prefix="x")], METRICS, replicates=5)
    assert comparison.figures == {}
    assert "the two score tables hold different samples" in comparison.to_json()["why"]
    assert comparison_table(comparison).note.startswith("not compared: ")


def test_an_oracle_is_noted() -> None:
    (comparison,) = compare(
        [system("one", 0.5), system("two", 0.5, policy="oracle:eer")], METRICS, replicates=0
    )
    (note,) = comparison.notes
    assert note.startswith("oracle: ")
    assert comparison_table(comparison).note.splitlines()[0] == note
    assert comparison_table(Comparison("two", "one", {})).note == ""


def test_exact_intervals_of_differences_are_named() -> None:
    (comparison,) = compare([system("one", 9.0), system("two", 9.0)], METRICS, replicates=20)
    assert "exact (Clopper-Pearson over subjects), because no replicate differs: all" in (
        comparison_table(comparison).note.splitlines()
    )


def test_a_metric_that_failed_is_a_dash() -> None:
    """Its value is None; the metric may be missing in the other system altogether."""
    one, two = system("one", 0.5), system("two", 3.0)
    metrics = {**two.result.metrics, "eer": None, "hter": None}
    failed = Scored("two", two.scores, evolve(two.result, metrics=metrics))
    (comparison,) = compare([one, failed], METRICS, replicates=10)
    rows = {row[0]: row for row in comparison_table(comparison).rows}
    assert rows["EER"][2:4] == ("-", "-")
    assert tuple(rows["HTER"][1:]) == ("-", "-", "-", "-", "-", "")
    document = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert document["figures"]["eer"]["difference"] is None


def test_rates_on_too_few_samples_are_marked() -> None:
    (comparison,) = compare([system("one", 0.5), system("two", 3.0)], METRICS, replicates=0)
    table = comparison_table(comparison)
    assert "TPR@FPR=1e-3*" in [row[0] for row in table.rows]
    assert "* TPR@FPR=1e-2 stands on 30 attacks, fewer than 100" in table.note
