"""Results in sentences: on whom, what passes, who is refused, and how sure that is."""

from __future__ import annotations

from typing import Any

from fas_core.config.recipe import Recipe
from fas_core.evaluation import bind_metrics, evaluate
from fas_core.evaluation.plain_words import describe
from fas_core.evaluation.population import Population
from fas_core.registry import registry
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

HALF = Threshold(0.5, "fixed:0.5", "given")


def scores(**columns: Any) -> ScoreTable:
    """Two people, each with a live sample, a print and two masks; a mask and a live sample are wrong."""
    table: dict[str, Any] = {
        "id": list("abcdefgh"),
        "score": [0.9, 0.2, 0.1, 0.1, 0.2, 0.3, 0.7, 0.1],
        "label": [1, 1, 0, 0, 0, 0, 0, 0],
        "species": ["live", "live", "print", "print", "mask", "mask", "mask", "mask"],
        "subject": ["p", "q", "p", "q", "p", "p", "q", "q"],
    }
    return ScoreTable.of(table | columns)


def words(table: ScoreTable, threshold: Threshold | None = HALF, replicates: int = 50) -> dict[str, str]:
    result = evaluate(table, bind_metrics(Recipe().metrics, registry()), threshold, replicates=replicates)
    return describe(result, Population.of(table))


def test_the_worst_kind_of_attack_comes_first() -> None:
    found = words(scores())
    assert list(found) == ["Judged on", "Lets pass", "Refuses", "How sure", "Threshold"]
    assert found["Judged on"] == (
        "2 people: 2 live samples of 2 people and 6 attacks of 2 kinds (mask 4, print 2; each of 2 people)."
    )
    assert found["Lets pass"].startswith(
        "Of the worst kind of attack, mask, it lets pass 1 of 4 (25 %; interval 0 % to 50 %). Of all attacks"
    )
    assert found["Refuses"].startswith("It refuses 1 of 2 live samples (50 %; interval 0 % to 100 %")
    assert "over 2 people" in found["How sure"]
    assert found["How sure"].endswith("Of so few they tend to be too narrow.")
    assert found["Threshold"] == "Accepted when score >= 0.5 (fixed:0.5)."


def test_people_who_are_not_known() -> None:
    found = words(scores(subject=None))
    assert found["Judged on"] == "2 live samples and 6 attacks of 2 kinds (mask 4, print 2)."
    assert "Who the people are is not known" in found["How sure"]
    assert "too narrow" in found["How sure"]


def test_kinds_of_different_people() -> None:
    found = words(scores(subject=["p", "q", "p", "p", "p", "p", "q", "q"]))
    assert "(mask 4 of 2 people, print 2 of 1 person)" in found["Judged on"]


def test_no_threshold_one_class_and_no_intervals() -> None:
    assert "lets nothing pass and refuses nobody" in words(scores(), None)["Lets pass"]
    assert "Refuses" not in words(scores(), None)
    live = scores(label=[1] * 8, species=["live"] * 8)
    assert words(live)["Lets pass"] == "No attacks were judged: what it lets pass is not known."
    attacks = scores(label=[0] * 8, species=["print"] * 8)
    assert words(attacks)["Refuses"] == "No live samples were judged: whom it refuses is not known."
    assert words(attacks)["Lets pass"].startswith("It lets pass 2 of 8 print attacks (25 %")
    assert "no intervals" in words(scores(), replicates=0)["How sure"]
    assert "interval" not in words(scores(), replicates=0)["Refuses"]


def test_an_oracle_and_uncertain_scores_are_named() -> None:
    assert "no claim" in words(scores(), Threshold(0.5, "oracle:eer", "judged"))["Threshold"]
    banded = HALF.with_reject(RejectBand(0.25, 0.8, "0.25:0.8", "given"))
    assert "It gives no verdict on 2 attacks and 0 live samples" in words(scores(), banded)["Lets pass"]
