"""What commands print of results and verdicts, in a pipe and with `--json`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from attrs import evolve

from fas_core.cli.views import show_result, show_summaries, show_verdicts
from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.data.detectors import BETTER_DETECTOR
from fas_core.evaluation import bind_metrics, evaluate
from fas_core.evaluation.groups import EvaluationOptions, evaluate_groups
from fas_core.inference.predict_inputs import Verdicts
from fas_core.registry import registry
from fas_core.runtime.prediction import FaceResult, Prediction
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

MODEL = Path("model.onnx")
HALF = Threshold(0.5, "fixed:0.5", "given")
SCORES = ScoreTable.of(
    {
        "id": ["a", "b", "c", "d"],
        "score": [0.9, 0.4, 0.1, 0.6],
        "label": [1, 1, 0, 0],
        "device": ["phone", "laptop", "phone", "laptop"],
    }
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """The console as it is without flags."""
    monkeypatch.setattr(console, "json", False)
    monkeypatch.setattr(console, "quiet", False)


def verdicts(*rows: FaceResult, grad_cam: bool = True) -> Verdicts:
    return Verdicts(rows, HALF, grad_cam)


def face(name: str, score: float, **fields: object) -> FaceResult:
    values = {"images": {"rgb": name}, "box": None, "prediction": Prediction(score, 0.5), **fields}
    return FaceResult(name, **values)  # type: ignore[arg-type]


UNREADABLE = face("broken.png", 0, prediction=None, reason="not an image")


def show(by: str | None) -> None:
    metrics = bind_metrics(Recipe().metrics, registry())
    options = EvaluationOptions(replicates=0, group_by=by)
    show_result(evaluate_groups(SCORES, metrics, HALF, options, name="test"))


def test_a_result_is_tables_and_a_histogram(capsys: pytest.CaptureFixture[str]) -> None:
    show(None)
    text = capsys.readouterr().out
    assert "ACER" in text
    assert "accepted when score >= 0.5 (fixed:0.5)" in text
    assert "phone" not in text


def test_a_result_ends_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    show(None)
    assert capsys.readouterr().out.splitlines()[-1] == (
        "test: 1 of 2 attacks accepted; 1 of 2 live refused; accepted when score >= 0.5 (fixed:0.5)"
    )


def test_a_model_of_no_use_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = bind_metrics(Recipe().metrics, registry())
    result = evaluate(SCORES, metrics, Threshold(2.0, "fixed:2", "given"), name="test")
    show_summaries([result])
    assert "warning: test: BPCER 100 %: all 2 live samples are refused" in capsys.readouterr().err


def test_groups_have_rows_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    show("device")
    text = capsys.readouterr().out
    assert "phone" in text
    assert "laptop" in text


def test_verdicts_are_a_row_each_and_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    show_verdicts(MODEL, verdicts(face("a.png", 0.5), face("b.png", 0.25), UNREADABLE), pictures=False)
    header, *rows, summary = capsys.readouterr().out.splitlines()
    assert header.split() == ["input", "score", "verdict"]
    assert [row.split() for row in rows[:2]] == [["a.png", "0.5000", "live"], ["b.png", "0.2500", "attack"]]
    assert rows[2].split(maxsplit=1) == ["broken.png", "not scored: not an image"]
    assert summary == "1 live, 1 attack, 1 not scored; accepted when score >= 0.5 (fixed:0.5)"


VERDICTS = verdicts(
    face("a.png", 0.9),
    face("b.png", 0.1),
    face("c.png", 0.5, prediction=Prediction(0.5, 0.5, reject=RejectBand(0.4, 0.6, "0.4:0.6", "given"))),
)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"TERM": "xterm-256color"}, True), ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False)],
)
def test_a_terminal_that_wants_colour_gets_coloured_verdicts(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    show_verdicts(MODEL, VERDICTS, pictures=False)
    for verdict, code in (("live", 32), ("attack", 31), ("uncertain", 33)):
        assert (f"\x1b[{code}m{verdict}" in terminal.getvalue()) is coloured
        assert verdict in terminal.getvalue()


def test_a_pipe_gets_verdicts_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    show_verdicts(MODEL, VERDICTS, pictures=False)
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert [line.split()[-1] for line in text.splitlines()[1:4]] == ["live", "attack", "uncertain"]


def test_boxes_have_a_column_if_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    show_verdicts(MODEL, verdicts(face("a.png", 0.9, box=(1.2, 2.0, 30.6, 40.0)), UNREADABLE), pictures=False)
    header, row, *_ = capsys.readouterr().out.splitlines()
    assert header.split()[-1] == "box"
    assert row.split()[-4:] == ["1", "2", "31", "40"]


def test_pictures_have_a_column_that_also_gives_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    rows = verdicts(face("a.png", 0.9, picture=Path("maps/a.png")), UNREADABLE)
    show_verdicts(MODEL, rows, pictures=True)
    header, first, second, _ = capsys.readouterr().out.splitlines()
    assert header.split()[-1] == "picture"
    assert first.split()[-1] == "maps/a.png"
    assert second.endswith("not an image")
    assert "not scored:" not in second


@pytest.mark.parametrize(
    ("grad_cam", "pictures", "hint"), [(False, True, 1), (True, True, 0), (False, False, 0)]
)
def test_pictures_without_grad_cam_say_what_it_needs(
    capsys: pytest.CaptureFixture[str], grad_cam: bool, pictures: bool, hint: int
) -> None:
    show_verdicts(MODEL, verdicts(face("a.png", 0.9), grad_cam=grad_cam), pictures)
    assert capsys.readouterr().out.count("Grad-CAM takes gradients") == hint


def test_the_document_of_verdicts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "json", True)
    show_verdicts(MODEL, verdicts(face("a.png", 0.75), UNREADABLE), pictures=False)
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "model": "model.onnx",
        "threshold": {"value": 0.5, "policy": "fixed:0.5", "source": "given"},
        "detector": None,
        "device": "cpu",
        "note": None,
        "novelty": None,
        "counts": {"live": 1, "attack": 0, "uncertain": 0, "not scored": 1},
        "rows": [face("a.png", 0.75).to_json(), UNREADABLE.to_json()],
    }


@pytest.mark.parametrize(("grad_cam", "maps"), [(True, ["grad_cam", "occlusion"]), (False, ["occlusion"])])
def test_the_document_names_maps_and_pictures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, grad_cam: bool, maps: list[str]
) -> None:
    monkeypatch.setattr(console, "json", True)
    rows = verdicts(face("a.png", 0.75, picture=Path("maps/a.png")), UNREADABLE, grad_cam=grad_cam)
    show_verdicts(MODEL, rows, pictures=True)
    document = json.loads(capsys.readouterr().out)
    assert document["maps"] == maps
    assert [row["picture"] for row in document["rows"]] == ["maps/a.png", None]


def test_the_detector_and_the_note_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "json", False)
    noted = evolve(verdicts(face("a.png", 0.75)), detector="cascade", note="of simulated faces")
    show_verdicts(MODEL, noted, pictures=False)
    printed = capsys.readouterr()
    assert "faces detected by cascade" in printed.out
    assert BETTER_DETECTOR in " ".join(printed.out.split())
    assert "warning: of simulated faces" in printed.err
    show_verdicts(MODEL, evolve(noted, detector="centerface"), pictures=False)
    assert "fas models get" not in capsys.readouterr().out
