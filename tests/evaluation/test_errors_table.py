"""The table of errors: counts and rates, the worst species first, then pooled, then live samples."""

from __future__ import annotations

from math import nan

from fas_core.config.recipe import Recipe
from fas_core.evaluation import Result, bind_metrics, evaluate
from fas_core.evaluation.errors_table import error_rows, errors_table
from fas_core.registry import registry
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

HALF = Threshold(0.5, "fixed:0.5", "given")


def result(threshold: Threshold | None = HALF, replicates: int = 0, missing: bool = False) -> Result:
    """10 people: 3 of 30 prints and 2 of 10 masks are accepted, 4 of 20 live samples refused."""
    rows = [("print", 0.9)] * 3 + [("print", 0.1)] * 27 + [("mask_3d", 0.7)] * 2 + [("mask_3d", 0.2)] * 8
    rows += [("live", 0.3)] * 4 + [("live", 0.8)] * 16
    rows += [("mask_3d", nan), ("live", nan), ("live", nan)] if missing else []
    scores = ScoreTable.of(
        {
            "id": [str(index) for index in range(len(rows))],
            "score": [score for _, score in rows],
            "label": [int(name == "live") for name, _ in rows],
            "species": [name for name, _ in rows],
            "subject": [str(index % 10) for index in range(len(rows))],
        }
    )
    metrics = bind_metrics(Recipe().metrics, registry())
    return evaluate(scores, metrics, threshold, name="test", replicates=replicates)


def test_the_worst_species_comes_first_and_the_pooled_rate_is_named() -> None:
    table = errors_table([result()])
    assert table is not None
    assert [tuple(row) for row in table.rows] == [
        ("test", "APCER worst", "mask_3d", "2 of 10", "20.00"),
        ("test", "APCER", "print", "3 of 30", "10.00"),
        ("test", "APCER pooled", "all attacks", "5 of 40", "12.50"),
        ("test", "BPCER", "live", "4 of 20", "20.00"),
    ]


def test_the_first_interval_is_that_of_apcer_max() -> None:
    found = result(replicates=50)
    assert found.intervals is not None
    first, _, pooled, live = error_rows(found)
    assert first.interval == found.intervals.figures["apcer_max"] == found.intervals.species["mask_3d"]
    assert (pooled.interval, live.interval) == tuple(
        found.intervals.figures[key] for key in ("apcer", "bpcer")
    )


def test_uncertain_samples_are_counted_as_non_responses() -> None:
    scores = ScoreTable.of(
        {
            "id": list("abcdef"),
            "score": [0.9, 0.5, 0.1, 0.55, 0.7, float("nan")],
            "label": [1, 1, 0, 0, 0, 0],
            "species": ["live", "live", "print", "replay", "replay", "replay"],
        }
    )
    band = RejectBand(0.4, 0.6, "0.4:0.6", "given")
    evaluated = evaluate(scores, [], Threshold(0.5, "fixed:0.5", "given", band), name="test")
    table = errors_table([evaluated])
    assert table is not None
    assert table.columns[3:] == ("count", "in %", "uncertain", "no score", "no response\nin %")
    rows = {row[2]: row[3:] for row in table.rows}
    assert rows["replay"] == ("1 of 1", "100.00", "1", "1", "66.67")
    assert rows["print"] == ("0 of 1", "0.00", "0", "0", "0.00")
    assert rows["all attacks"] == ("1 of 2", "50.00", "1", "1", "50.00")
    assert rows["live"] == ("0 of 1", "0.00", "1", "0", "50.00")
    assert table.note == "no response: APNRR of attacks, BPNRR of live samples"


def test_samples_without_a_score_are_counted() -> None:
    table = errors_table([result(missing=True)])
    assert table is not None
    assert table.columns[-1] == "no score"
    assert [row[-1] for row in table.rows] == ["1", "0", "1", "2"]


def test_without_a_threshold_there_are_counts_alone() -> None:
    table = errors_table([result(threshold=None)])
    assert table is not None
    assert {tuple(row[3:]) for row in table.rows} == {
        ("- of 10", "-"),
        ("- of 30", "-"),
        ("- of 40", "-"),
        ("- of 20", "-"),
    }


def test_a_mean_of_results_has_no_errors() -> None:
    assert errors_table([Result("mean", {"acer": 0.1}, None, {}, {})]) is None
