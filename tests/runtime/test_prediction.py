"""Verdicts of scores, and results as JSON."""

from __future__ import annotations

from fas_core.runtime import Prediction
from fas_core.runtime.prediction import FaceResult
from fas_core.scores.rejection import RejectBand


def test_a_score_at_the_threshold_is_accepted() -> None:
    assert (Prediction(0.5, 0.5).live, Prediction(0.5, 0.5).verdict) == (True, "live")
    assert (Prediction(0.49, 0.5).live, Prediction(0.49, 0.5).verdict) == (False, "attack")


def test_a_score_in_the_reject_band_has_no_verdict() -> None:
    band = RejectBand(0.4, 0.6, "0.4:0.6", "given")
    verdicts = {score: Prediction(score, 0.5, band) for score in (0.39, 0.4, 0.55, 0.6)}
    assert [item.live for item in verdicts.values()] == [False, None, None, True]
    assert [item.verdict for item in verdicts.values()] == ["attack", "uncertain", "uncertain", "live"]
    assert verdicts[0.55].reason == "the score is uncertain from 0.4 up to 0.6 (0.4:0.6)"
    assert verdicts[0.6].reason == ""


def test_a_scored_face_as_json() -> None:
    result = FaceResult("a.jpg#2", {"rgb": "a.jpg"}, (1.04, 2.06, 3.0, 4.0), Prediction(0.25, 0.5))
    assert result.to_json() == {
        "input": "a.jpg#2",
        "images": {"rgb": "a.jpg"},
        "box": [1.0, 2.1, 3.0, 4.0],
        "score": 0.25,
        "verdict": "attack",
        "reason": None,
        "detector": None,
        "novelty": None,
    }


def test_an_input_without_a_face_as_json() -> None:
    result = FaceResult("a.jpg", {}, None, None, "no face found").to_json()
    assert (result["box"], result["score"], result["verdict"]) == (None, None, None)
    assert result["reason"] == "no face found"
