"""Console tables: the published columns in order, in 80 columns, a dash where nothing is defined."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from fas_core import NoOptions
from fas_core.config import Recipe
from fas_core.console import Console
from fas_core.plugins import registry
from fas_core.report import BoundMetric, Result, bind, judge, tables
from fas_core.scores import ScoreTable
from fas_core.thresholds import Threshold

EER = Threshold(0.5, "eer", "dev")
GAP = BoundMetric("gap", lambda options, scores, threshold: {"gap": 0.123456}, NoOptions())


def judged(name: str, labels: list[int], threshold: Threshold | None = EER) -> Result:
    scores = [0.9, 0.8, 0.2, 0.6, 0.7][: len(labels)]
    species = ["live" if label else ("print", "mask_3d")[index % 2] for index, label in enumerate(labels)]
    ids = [str(index) for index in range(len(labels))]
    columns = {"id": ids, "score": scores, "label": labels, "species": species}
    return judge(ScoreTable.of(columns), [*bind(Recipe().metrics, registry()), GAP], threshold, name=name)


@pytest.fixture
def results() -> list[Result]:
    return [judged("dev", [1, 1, 0, 0, 0]), judged("test", [1, 1])]


def show(results: list[Result], train_hours: float | None = None) -> None:
    for table in tables(results, train_hours=train_hours):
        Console().table(table)


def test_published_columns_in_a_pipe(results: list[Result], capsys: pytest.CaptureFixture[str]) -> None:
    show(results, train_hours=12.345)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:5] == [
        "Rates in %, accepted when score >= 0.5 (eer on dev)",
        "                    TPR@FPR  TPR@FPR                               Train",
        "         Acc   EER    =1e-2    =1e-3  APCER  BPCER   ACER     AUC  hours",
        "dev    60.00  0.00   100.00   100.00  66.67   0.00  33.33  100.00  12.35",
        "test  100.00     –        –        –      –   0.00      –       –  12.35",
    ]
    assert lines[5].startswith("test: no attacks, so these are not defined: eer, tpr@fpr=1e-2")
    assert max(map(len, lines[:5])) <= 80


def test_species_and_further_figures(results: list[Result], capsys: pytest.CaptureFixture[str]) -> None:
    show(results)
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("Attacks accepted, by species")
    assert [line.split() for line in lines[start + 1 :]] == [
        ["dev", "test"],
        ["APCER", "attacks", "APCER", "attacks"],
        ["mask_3d", "100.00", "1", "–", "0"],
        ["print", "50.00", "2", "–", "0"],
        ["worst", "species:", "APCER", "max", "100.00", "–"],
        ["worst", "species:", "ACER", "max", "50.00", "–"],
        ["Further", "figures,", "rates", "as", "fractions"],
        ["dev", "test"],
        ["gap", "0.1235", "0.1235"],
    ]


def test_a_terminal_of_80_columns_cuts_nothing(
    results: list[Result], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    show(results, train_hours=123.4)
    text = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert max(map(len, text.splitlines())) <= 80
    for cell in (
        "TPR@FPR",
        "=1e-2",
        "123.40",
        "worst species: ACER max",
        "accepted when score >= 0.5 (eer on dev)",
    ):
        assert cell in text
    row = next(line for line in text.splitlines() if line.startswith("dev "))
    assert len(row.split()) == 10


def test_no_hours_no_column() -> None:
    (first, *_) = tables([judged("dev", [1, 1, 0])])
    assert "Train\nhours" not in first.columns
    assert first.note == ""


def test_live_samples_alone_have_no_species_table() -> None:
    assert [table.title.split(",")[0] for table in tables([judged("test", [1, 1])])] == [
        "Rates in %",
        "Further figures",
    ]


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        ([None], "Rates in %, no threshold"),
        ([Threshold(0.018, "fixed:0.018", "given")], "accepted when score >= 0.018 (fixed:0.018)"),
        (
            [EER, Threshold(0.25, "eer", "val")],
            "0: accepted when score >= 0.5 (eer on dev); 1: accepted when",
        ),
    ],
)
def test_the_title_says_which_threshold(thresholds: list[Threshold | None], expected: str) -> None:
    results = [judged(str(index), [1, 0], threshold) for index, threshold in enumerate(thresholds)]
    assert expected in tables(results)[0].title


def test_judging_imports_nothing_heavy() -> None:
    code = (
        "import sys, fas_core.report, fas_plugins.metrics.auc\n"
        "print(sorted({'torch', 'sklearn', 'scipy', 'matplotlib', 'cv2', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
