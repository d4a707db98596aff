"""Judging a table: the JSON document, notes for what is missing, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import inf, isnan, nan
from typing import Any

import pytest

from fas_core import NoOptions
from fas_core.config.recipe import Recipe
from fas_core.errors import DataError
from fas_core.evaluation import BoundMetric, bind_metrics, evaluate
from fas_core.registry import registry
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, fit_threshold

EER = Threshold(0.5, "eer", "dev")
METRICS = bind_metrics(Recipe().metrics, registry())


def table(scores: list[float], labels: list[int | None]) -> ScoreTable:
    species = [None if label is None else ("print", "live")[label] for label in labels]
    ids = [str(index) for index in range(len(scores))]
    return ScoreTable.of({"id": ids, "score": scores, "label": labels, "species": species})


def gap(options: NoOptions, scores: ScoreTable, threshold: float | None) -> Mapping[str, float]:
    """A metric of somebody else's."""
    return {"gap": float(scores.live.mean() - scores.attack.mean())}


def test_the_whole_document() -> None:
    result = evaluate(table([0.9, 0.4, 0.1, 0.6], [1, 1, 0, 0]), METRICS, EER, name="test", notes=["overlap"])
    document = result.to_json()
    assert [*document["metrics"]][4:6] == ["apcer_max", "apcer"]  # the worst species first
    assert document == {
        "name": "test",
        "metrics": {
            "acc": 0.5,
            "eer": 0.5,
            "tpr@fpr=1e-2": 0.5,
            "tpr@fpr=1e-3": 0.5,
            "apcer": 0.5,
            "apcer_max": 0.5,
            "bpcer": 0.5,
            "acer": 0.5,
            "acer_max": 0.5,
            "auc": 0.75,
        },
        "threshold": {"value": 0.5, "policy": "eer", "source": "dev"},
        "counts": {"live": 2, "attack": 2, "unknown": 0, "no_response": 0, "total": 4},
        "species": {"print": {"apcer": 0.5, "count": 2, "no_response": 0, "accepted": 1, "uncertain": 0}},
        "notes": ["overlap"],
        "errors": {
            "attacks_accepted": 1,
            "attacks": 2,
            "live_refused": 1,
            "live": 2,
            "attacks_uncertain": 0,
            "live_uncertain": 0,
        },
        "non_response": {"apnrr_max": 0.0, "apnrr": 0.0, "bpnrr": 0.0},
        "worst_species": "print",
        "summary": "test: 1 of 2 attacks accepted; 1 of 2 live refused; "
        "accepted when score >= 0.5 (eer on dev)",
        "warnings": [],
        "small_counts": {
            "tpr@fpr=1e-2": {"count": 2, "needed": 100, "samples": "attacks"},
            "tpr@fpr=1e-3": {"count": 2, "needed": 1000, "samples": "attacks"},
        },
    }


def test_uncertain_scores_are_non_responses() -> None:
    # Uncertain from 0.35 up to 0.65: of the live 0.9, 0.4, 0.1 the second; of the attacks 0.6, 0.7, 0.2, 0.0
    # the first. One live sample and one attack have no score.
    scores = table([0.9, 0.4, 0.1, nan, 0.6, 0.7, 0.2, 0.0, nan], [1, 1, 1, 1, 0, 0, 0, 0, 0])
    band = RejectBand(0.35, 0.65, "0.35:0.65", "given")
    result = evaluate(scores, METRICS, Threshold(0.5, "eer", "dev", band), name="test", replicates=20)
    assert result.metrics["apcer"] == pytest.approx(1 / 3)  # 0.7 of 0.7, 0.2, 0.0
    assert result.metrics["bpcer"] == pytest.approx(1 / 2)  # 0.1 of 0.9, 0.1
    assert result.metrics["auc"] == evaluate(scores, METRICS, EER).metrics["auc"]  # needs no threshold
    assert result.non_response == pytest.approx({"apnrr_max": 2 / 5, "apnrr": 2 / 5, "bpnrr": 2 / 4})
    document = result.to_json()
    assert document["non_response"]["bpnrr"] == 0.5
    assert document["species"]["print"] == {
        "apcer": pytest.approx(1 / 3),
        "count": 4,
        "no_response": 1,
        "accepted": 1,
        "uncertain": 1,
    }
    assert document["errors"]["attacks_uncertain"] == document["errors"]["live_uncertain"] == 1
    assert (
        "1 of 3 attacks accepted; 1 of 2 live refused; uncertain: 1 attacks and 1 live more" in result.summary
    )
    assert "uncertain from 0.35 up to 0.65 (0.35:0.65)" in result.summary
    assert "1 of 4 attacks and 1 of 3 live samples are uncertain" in " ".join(result.notes)
    assert result.intervals is not None
    assert result.intervals.figures["apcer"][0] <= 1 / 3 <= result.intervals.figures["apcer"][1]


def test_without_any_verdict_a_warning_says_so() -> None:
    band = RejectBand(0.0, 1.0, "0:1", "given")
    result = evaluate(table([0.9, 0.1], [1, 0]), METRICS, Threshold(0.5, "eer", "dev", band), name="test")
    assert result.non_response == {"apnrr_max": 1.0, "apnrr": 1.0, "bpnrr": 1.0}
    assert result.to_json()["metrics"]["apcer"] is None
    assert "test: every sample is uncertain: the model gives no verdict at all" in result.warnings


def test_one_class_is_null_in_json_and_explained() -> None:
    result = evaluate(table([0.9, 0.4], [1, 1]), METRICS, EER, name="test")
    document = result.to_json()
    json.dumps(document, allow_nan=False)
    undefined = [key for key, value in document["metrics"].items() if value is None]
    assert undefined == [
        "eer",
        "tpr@fpr=1e-2",
        "tpr@fpr=1e-3",
        "apcer_max",
        "apcer",
        "acer_max",
        "acer",
        "auc",
    ]
    assert document["species"] == {}
    (note,) = result.notes
    assert note == f"no attacks, so these are not defined: {', '.join(undefined)}"


def test_without_a_threshold() -> None:
    result = evaluate(table([0.9, 0.1], [1, 0]), METRICS, None)
    document = result.to_json()
    assert document["threshold"] is None
    assert document["metrics"]["auc"] == 1.0
    assert document["metrics"]["acc"] is None
    assert document["species"] == {
        "print": {"apcer": None, "count": 1, "no_response": 0, "accepted": None, "uncertain": 0}
    }
    assert (document["errors"], document["worst_species"]) == (None, None)
    assert document["summary"] == (
        "scores: 1 attacks and 1 live samples; no threshold, so none is accepted or refused"
    )
    assert result.notes[0].startswith("no threshold, so these are not defined: acc, apcer")


def test_what_is_left_out_is_counted() -> None:
    result = evaluate(table([0.9, nan, 0.1, 0.2, nan], [1, 1, 0, None, None]), METRICS, EER)
    assert result.counts == {"live": 1, "attack": 1, "unknown": 2, "no_response": 1, "total": 5}
    assert result.metrics["acc"] == 1.0
    assert result.notes == (
        "1 of 5 samples gave no score (NaN) and are left out",
        "2 of 5 samples have no label and are left out",
    )


def test_no_response_at_all() -> None:
    result = evaluate(table([nan, nan], [1, 0]), METRICS, EER)
    assert all(isnan(value) for value in result.metrics.values())
    assert result.notes[1].startswith("no live samples and no attacks, so these are not defined: acc")
    document = result.to_json()
    assert document["species"] == {
        "print": {"apcer": None, "count": 0, "no_response": 1, "accepted": 0, "uncertain": 0}
    }
    assert document["summary"].startswith("scores: no attacks; no live samples; 2 gave no score")
    assert document["warnings"] == []


@pytest.mark.parametrize("scores", [table([0.9], [None]), table([], [])])
def test_nothing_labelled_is_refused(scores: ScoreTable) -> None:
    with pytest.raises(DataError, match=r"val: none of the \d samples has a label"):
        evaluate(scores, METRICS, EER, name="val")


def test_somebody_elses_metric() -> None:
    theirs = BoundMetric("gap", gap, NoOptions())
    assert evaluate(table([0.75, 0.25], [1, 0]), [theirs], None).metrics == {"gap": 0.5}


def test_a_figure_undefined_for_its_own_reasons() -> None:
    never = BoundMetric("never", lambda options, scores, threshold: {"never": nan, "far": inf}, NoOptions())
    result = evaluate(table([0.9, 0.1], [1, 0]), [never], EER)
    assert result.notes == ("not defined for these scores: never",)
    assert result.to_json()["metrics"] == {"never": None, "far": None}


def test_an_oracle_is_said_to_be_one() -> None:
    scores = table([0.9, 0.1], [1, 0])
    found = evaluate(scores, METRICS, fit_threshold("oracle:eer", None, evaluated=scores), notes=["first"])
    assert found.notes == (
        "first",
        "oracle: the threshold was fitted on these very scores: what was possible, not what can be claimed",
    )


def test_results_are_frozen() -> None:
    result: Any = evaluate(table([0.9, 0.1], [1, 0]), METRICS, EER)
    with pytest.raises(AttributeError):
        result.name = "other"


def test_the_worst_species_of_equal_ones_is_that_of_the_intervals() -> None:
    """Two species without errors: the one with fewer people is the less certain."""
    scores = ScoreTable.of(
        {
            "id": [str(index) for index in range(8)],
            "score": [0.9] + [0.1] * 7,
            "label": [1] + [0] * 7,
            "species": ["live", *["mask"] * 4, *["print"] * 3],
            "subject": ["a", "a", "a", "b", "b", "a", "b", "c"],
        }
    )
    assert evaluate(scores, METRICS, EER).worst_species == "print"  # 3 samples of 3 people
    assert evaluate(scores, METRICS, EER, replicates=5).worst_species == "mask"  # 4 samples of 2 people


def test_a_model_of_no_use_is_warned_of() -> None:
    result = evaluate(table([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0]), METRICS, EER, name="test")
    assert result.looks_inverted
    assert result.to_json()["warnings"] == [
        "test: AUC 0.000: attacks score higher than live samples: labels or scores may be inverted",
        "test: BPCER 100 %: all 2 live samples are refused at this threshold",
        "test: APCER 100 %: all 2 attacks are accepted at this threshold",
    ]
