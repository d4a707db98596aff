"""Console tables: the published columns in order, in 80 columns, a dash where nothing is defined."""

from __future__ import annotations

import re
from math import nan
from typing import Any

import pytest
from attrs import evolve

from fas_core import NoOptions
from fas_core.config.components import MetricChoice
from fas_core.config.recipe import Recipe
from fas_core.console import Console
from fas_core.descriptors import Metric
from fas_core.evaluation import BoundMetric, Result, bind_metrics, evaluate, format_tables
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_core.text_table import Styled

EER = Threshold(0.5, "eer", "dev")
GAP = BoundMetric("gap", lambda options, scores, threshold: {"gap": 0.123456}, NoOptions())


def judged(name: str, labels: list[int], threshold: Threshold | None = EER) -> Result:
    scores = [0.9, 0.8, 0.2, 0.6, 0.7][: len(labels)]
    species = ["live" if label else ("print", "mask_3d")[index % 2] for index, label in enumerate(labels)]
    ids = [str(index) for index in range(len(labels))]
    columns = {"id": ids, "score": scores, "label": labels, "species": species}
    return evaluate(
        ScoreTable.of(columns), [*bind_metrics(Recipe().metrics, registry()), GAP], threshold, name=name
    )


@pytest.fixture
def results() -> list[Result]:
    return [judged("dev", [1, 1, 0, 0, 0]), judged("test", [1, 1])]


def show(results: list[Result], train_hours: float | None = None) -> None:
    for table in format_tables(results, train_hours=train_hours):
        Console().table(table)


def test_published_columns_in_a_pipe(results: list[Result], capsys: pytest.CaptureFixture[str]) -> None:
    show(results, train_hours=12.345)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:5] == [
        "Rates in %, accepted when score >= 0.5 (eer on dev)",
        "                    TPR@FPR  TPR@FPR   APCER   APCER           ACER  Train",
        "         Acc   EER    =1e-2    =1e-3   worst  pooled  BPCER  pooled  hours",
        "dev    60.00  0.00  100.00*  100.00*  100.00   66.67   0.00   33.33  12.35",
        "test  100.00     -        -        -       -       -   0.00       -  12.35",
    ]
    assert lines[5].startswith("test: no attacks, so these are not defined: eer, tpr@fpr=1e-2")
    assert lines[6:9] == [
        "warning: dev: APCER 100 %: all 1 mask_3d attacks are accepted at this threshold",
        "* TPR@FPR=1e-2 stands on 3 attacks, fewer than 100; TPR@FPR=1e-3 stands on 3",
        "  attacks, fewer than 1,000",
    ]
    assert lines[9:14] == [
        "Further rates in %, worst: of the worst species",
        "       ACER",
        "      worst     AUC",
        "dev   50.00  100.00",
        "test      -       -",
    ]


def test_species_and_further_figures(results: list[Result], capsys: pytest.CaptureFixture[str]) -> None:
    show(results)
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("Errors, the worst species first")
    assert lines[start + 1 :] == [
        "      error         of            count    in %",
        "dev   APCER worst   mask_3d      1 of 1  100.00",
        "dev   APCER         print        1 of 2   50.00",
        "dev   APCER pooled  all attacks  2 of 3   66.67",
        "dev   BPCER         live         0 of 2    0.00",
        "test  BPCER         live         0 of 2    0.00",
        "Further figures",
        "        dev    test",
        "gap  0.1235  0.1235",
    ]


def with_intervals(**columns: Any) -> Result:
    rows = {
        "id": list("abcdefgh"),
        "score": [0.9, 0.8, 0.3, nan, 0.6, 0.2, 0.1, nan],
        "label": [1, 1, 1, 1, 0, 0, 0, 0],
        "species": ["live"] * 4 + ["print", "print", "replay", "replay"],
    }
    metrics = [*bind_metrics(Recipe().metrics, registry()), GAP]
    return evaluate(ScoreTable.of(rows | columns), metrics, EER, name="test", replicates=20)


def test_intervals_stand_below_rates_and_beside_other_figures() -> None:
    found = with_intervals(subject=list("abcdabcd"))
    assert found.intervals is not None
    published, further, species, other = format_tables([found], train_hours=2.0)
    for rates, keys in ((published, ["acc", "eer"]), (further, ["acer_max", "auc"])):
        values, low, high = rates.rows
        assert (values[0], low[0], high[0]) == ("test", "  from", "  to")
        for column, key in enumerate(keys, 1):
            assert (low[column], high[column]) == tuple(
                f"{100 * end:.2f}" for end in found.intervals.figures[key]
            )
        assert {cell.style for row in (low, high) for cell in row if isinstance(cell, Styled)} == {"dim"}
        assert not any(isinstance(cell, Styled) for cell in values)
    assert [row[-1] for row in published.rows] == ["2.00", "", ""]
    notes = published.note.splitlines()
    assert notes[0] == "2 of 8 samples gave no score (NaN) and are left out"
    assert "from, to: 95 % intervals, 20 bootstrap replicates over 4 subjects" in notes
    assert notes[-1] == "no interval, because no replicate differs: GAP"
    assert max(map(len, notes)) <= 80
    ends = found.intervals.species["print"]
    low_end, high_end = (f"{100 * end:.2f}" for end in ends)
    row = ["test", "APCER worst", "print", "1 of 2", "50.00", low_end, high_end, "0"]
    assert list(species.rows[0]) == row
    assert list(species.rows[1])[-1] == "1"
    assert list(other.columns) == ["", "test", "test\nfrom", "test\nto"]
    assert list(other.rows[0]) == ["gap", "0.1235", "-", "-"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"video": list("abcdabca")}, "over 4 videos"),
        ({"subject": ["a"] * 8}, "over 1 subject"),
        ({}, "over 8 samples: not every subject or video is known"),
        ({"subject": ["a", *[None] * 7]}, "over 8 samples: not every subject or video is known"),
    ],
)
def test_it_says_what_was_drawn(columns: dict[str, Any], said: str) -> None:
    note = format_tables([with_intervals(**columns)])[0].note
    assert f"from, to: 95 % intervals, 20 bootstrap replicates {said}" in note.splitlines()


def test_what_was_drawn_is_said_for_each_where_it_differs() -> None:
    ours, theirs = with_intervals(subject=list("abcdabcd")), with_intervals(video=list("abcdabcd"))
    note = format_tables([evolve(ours, name="ours"), evolve(theirs, name="theirs")])[0].note
    assert "ours: from, to: 95 % intervals, 20 bootstrap replicates over 4 subjects\ntheirs: from" in note


def test_figures_of_targets_are_rates_too() -> None:
    chosen = [MetricChoice(found.name) for found in registry().all(Metric)]
    result = evaluate(
        ScoreTable.of({"id": ["a", "b"], "score": [0.9, 0.1], "label": [1, 0]}),
        bind_metrics(chosen, registry()),
        EER,
    )
    _, further, _, other = format_tables([result])
    assert [row[0] for row in other.rows] == ["d_prime"]
    heads = [" ".join(head.split("\n")) for head in further.columns]
    for head in ("APCER worst @BPCER =1e-1", "APCER pooled @BPCER =1e-1", "BPCER20", "ACER worst"):
        assert head in heads


@pytest.mark.parametrize("columns", [80, 60])
def test_a_terminal_cuts_nothing(
    results: list[Result], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    show([*results, with_intervals(subject=list("abcdabcd"))], train_hours=123.4)
    text = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert max(map(len, text.splitlines())) <= columns
    for cell in ("TPR@FPR", "=1e-2", "123.40", "mask_3d", "no score", "  from", "ACER"):
        assert cell in text
    # The table of 80 columns goes on below itself where there are 60.
    assert sum(line.startswith("dev ") for line in text.splitlines()) == {80: 6, 60: 7}[columns]


def test_no_hours_no_column() -> None:
    (first, *_) = format_tables([judged("dev", [1, 1, 0])])
    assert "Train\nhours" not in first.columns
    assert all(line.startswith(("*", " ")) for line in first.note.splitlines())


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        ([None], "Rates in %, no threshold"),
        ([Threshold(0.018, "fixed:0.018", "given")], "accepted when score >= 0.018 (fixed:0.018)"),
    ],
)
def test_the_title_says_which_threshold(thresholds: list[Threshold | None], expected: str) -> None:
    results = [judged(str(index), [1, 0], threshold) for index, threshold in enumerate(thresholds)]
    assert expected in format_tables(results)[0].title


def test_a_note_of_all_is_said_once_and_one_of_some_with_their_names() -> None:
    of_all = [evolve(judged(name, [1, 0], EER), notes=("overlap", "simulated")) for name in ("a", "b")]
    assert format_tables(of_all)[0].note.splitlines()[:2] == ["overlap", "simulated"]
    of_some = [evolve(of_all[0], notes=("overlap", "few")), of_all[1]]
    assert format_tables(of_some)[0].note.splitlines()[:3] == ["overlap", "a: few", "b: simulated"]


def test_thresholds_that_differ_are_below_the_table() -> None:
    results = [judged("a", [1, 0], EER), judged("b", [1, 0], Threshold(0.25, "eer", "val"))]
    table = format_tables(results)[0]
    assert table.title == "Rates in %, each at its own threshold"
    assert table.note.splitlines()[:2] == [
        "a: accepted when score >= 0.5 (eer on dev)",
        "b: accepted when score >= 0.25 (eer on val)",
    ]


def test_a_metric_that_failed_is_a_dash() -> None:
    """Of a metric that raises, and of one whose plugin is gone, the value is None."""
    found = with_intervals(subject=list("abcdabcd"))
    assert found.intervals is not None
    figures = {key: bounds for key, bounds in found.intervals.figures.items() if key != "eer"}
    metrics = {**found.metrics, "eer": None, "tpr@fpr=1e-2": None, "gap": None, "auc": None}
    for intervals in (None, evolve(found.intervals, figures=figures)):
        failed = evolve(found, metrics=metrics, intervals=intervals)
        published, further, _, other = format_tables([failed])
        row = dict(zip(published.columns, published.rows[0], strict=True))
        assert (row["EER"], row["TPR@FPR\n=1e-2"]) == ("-", "-")
        assert dict(zip(further.columns, further.rows[0], strict=True))["AUC"] == "-"
        assert other.rows[0][1] == "-"
        document = failed.to_json()
        assert document["metrics"]["eer"] is None
        assert document["warnings"] == found.warnings
