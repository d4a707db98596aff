"""Predictions, and results as they are printed."""

from __future__ import annotations

from fas_core.runtime.results import FaceResult, Prediction


def test_a_score_at_the_threshold_is_accepted() -> None:
    assert (Prediction(0.5, 0.5).live, Prediction(0.5, 0.5).verdict) == (True, "live")
    assert (Prediction(0.49, 0.5).live, Prediction(0.49, 0.5).verdict) == (False, "attack")


def test_a_scored_face_as_json() -> None:
    result = FaceResult("a.jpg#2", {"rgb": "a.jpg"}, (1.04, 2.06, 3.0, 4.0), Prediction(0.25, 0.5))
    assert result.to_json() == {
        "input": "a.jpg#2",
        "images": {"rgb": "a.jpg"},
        "box": [1.0, 2.1, 3.0, 4.0],
        "score": 0.25,
        "verdict": "attack",
        "reason": None,
    }


def test_an_input_without_a_face_as_json() -> None:
    result = FaceResult("a.jpg", {}, None, None, "no face found").to_json()
    assert (result["box"], result["score"], result["verdict"]) == (None, None, None)
    assert result["reason"] == "no face found"
