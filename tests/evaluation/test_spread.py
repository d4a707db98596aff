"""Results over several sub-protocols or folds: mean, deviation, JSON documents and tables."""

from __future__ import annotations

import json
import math
import statistics

import pytest
from attrs import evolve

from fas_core.evaluation.intervals import Intervals
from fas_core.evaluation.result import Result, SpeciesResult
from fas_core.evaluation.spread import CrossValidation, cross_validation_tables, spread, spread_tables
from fas_core.scores.thresholds import Threshold

ACER = {"4@1": 0.0421, "4@2": 0.0112, "4@3": 0.0250}


def result(name: str, acer: float, *notes: str, **more: float) -> Result:
    return Result(
        name,
        metrics={"acer": acer, **more},
        threshold=Threshold(0.5 + acer, "eer", "dev"),
        counts={"live": 1, "attack": 1, "unknown": 0, "no_response": 0, "total": 2},
        species={},
        notes=notes,
    )


def test_mean_and_sample_standard_deviation() -> None:
    found = spread([result(name, acer) for name, acer in ACER.items()])
    assert found.mean["acer"] == pytest.approx(statistics.fmean(ACER.values()))
    assert found.sd["acer"] == pytest.approx(statistics.stdev(ACER.values()))  # 2, not 3, below
    assert found.sd["acer"] != pytest.approx(statistics.pstdev(ACER.values()))


def test_a_figure_that_one_lacks_has_no_mean() -> None:
    found = spread([result("1", 0.1, eer=0.2), result("2", 0.1, eer=math.nan), result("3", 0.1, eer=0.1)])
    assert math.isnan(found.mean["eer"])
    assert math.isnan(found.sd["eer"])
    document = json.loads(json.dumps(found.to_json("protocols"), allow_nan=False))
    assert document["mean"] == {"acer": pytest.approx(0.1), "eer": None}
    assert list(document["protocols"]) == ["1", "2", "3"]
    assert document["protocols"]["2"]["metrics"]["eer"] is None


def test_one_alone_has_no_deviation() -> None:
    found = spread([result("4@1", 0.1)])
    assert found.mean == {"acer": 0.1}
    assert math.isnan(found.sd["acer"])


def test_the_table_has_a_row_each_then_mean_and_deviation() -> None:
    found = spread([result(name, acer, "simulated", f"of {name}") for name, acer in ACER.items()])
    table = spread_tables(found, title="test", train_hours=0.5)[0]
    assert [tuple(row) for row in table.rows] == [
        ("4@1", "4.21"),
        ("4@2", "1.12"),
        ("4@3", "2.50"),
        ("mean", "2.61"),
        ("± sd", "1.55"),
    ]
    assert table.title.startswith("test: rates in %")
    lines = table.note.splitlines()
    assert "4@2: accepted when score >= 0.5112 (eer on dev)" in lines
    assert lines.count("simulated") == 1
    assert "4@3: of 4@3" in lines
    assert "trained in 0.50 hours" in lines
    assert not any("mean" in line for line in lines)


def test_without_a_threshold() -> None:
    lacking = [Result(name, {"eer": 0.1}, None, {}, {}) for name in ACER]
    assert spread_tables(spread(lacking))[0].title == "Rates in %, no threshold"


def fold_result(name: str, acer: float, total: int) -> Result:
    return Result(
        name,
        metrics={"eer": 0.25, "acer": acer, "auc": math.nan},
        threshold=Threshold(0.5, "eer", "out-of-fold"),
        counts={"live": 1, "attack": total - 1, "unknown": 0, "no_response": 0, "total": total},
        species={"print": SpeciesResult(acer, total - 1)},
    )


CROSS_VALIDATION = CrossValidation(
    by="subject",
    groups=(3, 2),
    folds=spread([fold_result("fold-1", 0.1, 30), fold_result("fold-2", 0.3, 20)]),
    pooled=evolve(fold_result("pooled", 0.18, 50), notes=("overlap",)),
)


def test_the_document_has_folds_mean_deviation_and_pooled() -> None:
    document = json.loads(json.dumps(CROSS_VALIDATION.to_json(), allow_nan=False))
    assert list(document) == ["by", "folds", "mean", "sd", "pooled"]
    assert document["by"] == "subject"
    assert {name: fold["groups"] for name, fold in document["folds"].items()} == {"fold-1": 3, "fold-2": 2}
    assert document["folds"]["fold-2"]["metrics"] == {"eer": 0.25, "acer": 0.3, "auc": None}
    assert document["mean"] == {"eer": 0.25, "acer": 0.2, "auc": None}
    assert document["pooled"]["notes"] == ["overlap"]


def test_a_row_a_fold_then_mean_deviation_and_pooled() -> None:
    first, *others = cross_validation_tables(CROSS_VALIDATION)
    assert first.title == "Rates in %, accepted when score >= 0.5 (eer on out-of-fold)"
    assert list(first.columns) == ["fold", "subjects", "samples", "EER", "ACER\npooled"]
    assert [tuple(row) for row in first.rows] == [
        ("fold-1", "3", "30", "25.00", "10.00"),
        ("fold-2", "2", "20", "25.00", "30.00"),
        ("mean", "", "", "25.00", "20.00"),
        ("± sd", "", "", "0.00", "14.14"),
        ("pooled", "5", "50", "25.00", "18.00"),
    ]
    assert first.note == "overlap"
    assert [table.title for table in others][-1] == "Errors, the worst species first"
    assert all(table.note == "" for table in others)


def test_the_pooled_folds_have_an_interval() -> None:
    """Folds without errors have a deviation of 0, which is no certainty."""
    figures = {"eer": (0.0, 0.1684), "acer": (0.0, 0.1684)}
    intervals = Intervals("subject", 20, 1000, 0.95, figures, exact=("eer", "acer"))
    pooled = evolve(CROSS_VALIDATION.pooled, intervals=intervals)
    first, *_ = cross_validation_tables(evolve(CROSS_VALIDATION, pooled=pooled))
    assert [tuple(row) for row in first.rows[-2:]] == [
        ("  from", "", "", "0.00", "0.00"),
        ("  to", "", "", "16.84", "16.84"),
    ]
    assert "1000 bootstrap replicates over 20 subjects" in first.note
    assert "exact (Clopper-Pearson over subjects)" in first.note


def test_a_metric_that_failed_has_no_mean() -> None:
    failed = Result("2", {"acer": 0.1, "eer": None}, None, {}, {})
    found = spread([result("1", 0.1, eer=0.2), failed])
    assert found.mean["acer"] == pytest.approx(0.1)
    assert math.isnan(found.mean["eer"])
    table = spread_tables(found)[0]
    assert [dict(zip(table.columns, row, strict=True))["EER"] for row in table.rows[1:3]] == ["-", "-"]
