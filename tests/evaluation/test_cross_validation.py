"""A cross-validation's result: its JSON document and its tables."""

from __future__ import annotations

import json
from math import nan

from attrs import evolve

from fas_core.evaluation import Result
from fas_core.evaluation.cross_validation import CrossValidation, cross_validation_tables
from fas_core.evaluation.protocols import spread
from fas_core.evaluation.result import SpeciesResult
from fas_core.scores.thresholds import Threshold


def result(name: str, acer: float, total: int) -> Result:
    return Result(
        name,
        metrics={"eer": 0.25, "acer": acer, "auc": nan},
        threshold=Threshold(0.5, "eer", "out-of-fold"),
        counts={"live": 1, "attack": total - 1, "unknown": 0, "no_response": 0, "total": total},
        species={"print": SpeciesResult(acer, total - 1)},
    )


FOUND = CrossValidation(
    by="subject",
    groups=(3, 2),
    folds=spread([result("fold-1", 0.1, 30), result("fold-2", 0.3, 20)]),
    pooled=evolve(result("pooled", 0.18, 50), notes=("overlap",)),
)


def test_the_document_has_folds_mean_deviation_and_pooled() -> None:
    document = json.loads(json.dumps(FOUND.to_json(), allow_nan=False))
    assert list(document) == ["by", "folds", "mean", "sd", "pooled"]
    assert document["by"] == "subject"
    assert {name: fold["groups"] for name, fold in document["folds"].items()} == {"fold-1": 3, "fold-2": 2}
    assert document["folds"]["fold-2"]["metrics"] == {"eer": 0.25, "acer": 0.3, "auc": None}
    assert document["mean"] == {"eer": 0.25, "acer": 0.2, "auc": None}
    assert document["pooled"]["notes"] == ["overlap"]


def test_a_row_a_fold_then_mean_deviation_and_pooled() -> None:
    first, *others = cross_validation_tables(FOUND)
    assert first.title == "Rates in %, accepted when score >= 0.5 (eer on out-of-fold)"
    assert list(first.columns) == ["fold", "subjects", "samples", "EER", "ACER"]
    assert [tuple(row) for row in first.rows] == [
        ("fold-1", "3", "30", "25.00", "10.00"),
        ("fold-2", "2", "20", "25.00", "30.00"),
        ("mean", "", "", "25.00", "20.00"),
        ("± sd", "", "", "0.00", "14.14"),
        ("pooled", "5", "50", "25.00", "18.00"),
    ]
    assert first.note == "overlap"
    assert [table.title for table in others][-1] == "Attacks accepted in %, by species"
    assert all(table.note == "" for table in others)
