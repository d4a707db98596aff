"""From samples to results. The command line's tests go through files; here samples are arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fas_core.data.detectors import FaceDetector
from fas_core.data.faces import CropSettings
from fas_core.data.images import read_image
from fas_core.records.detected_face import DetectedFace
from fas_core.runtime import Predictor
from fas_core.runtime.explain import Explainer
from fas_core.runtime.inputs import InputSample
from fas_core.runtime.pictures import ExplanationWriter
from fas_core.runtime.predict import CHUNK, PredictionPipeline
from fas_core.runtime.prediction import FaceResult, Prediction

MeanModel = Callable[..., Path]


def sample(name: str, level: int, **options: Any) -> InputSample:
    return InputSample(name, {"rgb": np.full((20, 30, 3), level, np.uint8)}, f"{name}.png", **options)


def run(pipeline: PredictionPipeline, samples: list[InputSample], workers: int = 1) -> list[FaceResult]:
    return [result for _, results in pipeline.run(samples, workers) for result in results]


@pytest.mark.parametrize("workers", [1, 3])
def test_results_are_in_order_and_chunks_are_counted(mean_model: MeanModel, workers: int) -> None:
    samples = [sample(f"{level}", level) for level in range(2 * CHUNK + 1)]
    chunks = list(PredictionPipeline(Predictor(mean_model(), detect=False)).run(iter(samples), workers))
    assert [count for count, _ in chunks] == [CHUNK, CHUNK, 1]
    results = [result for _, results in chunks for result in results]
    assert [result.name for result in results] == [item.name for item in samples]
    scores = [result.prediction.score for result in results if result.prediction]
    np.testing.assert_allclose(scores, np.arange(len(samples)) / 255, atol=1e-6)


def test_a_sample_that_cannot_be_scored_has_a_reason(mean_model: MeanModel, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("text")
    bad = InputSample(str(tmp_path / "bad.png"), {"rgb": tmp_path / "bad.png"}, "bad.png")
    samples = [
        sample("a", 51),
        sample("b", 0, reason="no such file"),
        InputSample("c", {"ir": np.zeros((9, 9, 3), np.uint8)}, "c.png"),
        sample("d", 0, box=(40, 0, 5, 5)),
        bad,
        sample("e", 102),
    ]
    results = run(PredictionPipeline(Predictor(mean_model(), detect=False)), samples)
    assert [result.prediction is None for result in results] == [False, True, True, True, True, False]
    assert results[1].reason == "no such file"
    assert results[2].reason == "no 'rgb' image: the model takes rgb"
    assert results[3].reason == "box [40, 0, 5, 5] lies outside the image of 30 x 20 pixels"
    assert results[4].reason.startswith("cannot be decoded")  # without the file's name, which is the result's
    assert results[4].images == {"rgb": str(tmp_path / "bad.png")}


def test_a_known_box_is_cropped_and_kept(mean_model: MeanModel) -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    image[5:15, 10:20] = 204
    item = InputSample("a", {"rgb": image}, "a.png", box=(10, 5, 10, 10))
    (result,) = run(PredictionPipeline(Predictor(mean_model(), detect=False)), [item])
    assert result.box == (10, 5, 10, 10)
    assert result.prediction is not None
    assert result.prediction.score == pytest.approx(0.8)


def test_faces_are_detected_the_largest_or_every_one(
    mean_model: MeanModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = [(20.0, 2.0, 6.0, 6.0), (2.0, 2.0, 10.0, 10.0)]
    faces = {1: [DetectedFace(box) for box in boxes], 2: []}
    detector = FaceDetector("fake", lambda image: faces.get(image[0, 0, 0], []))
    monkeypatch.setattr("fas_core.runtime.face_selection.face_detector", lambda _: detector)
    samples = [sample("two", 1), sample("none", 2)]
    predictor = Predictor(mean_model(), detect=True, crops=CropSettings(margin=0))
    results = run(PredictionPipeline(predictor), samples)
    assert [(result.name, result.box) for result in results] == [("two", boxes[1]), ("none", None)]
    assert results[1].reason == "no face found"
    results = run(PredictionPipeline(predictor, every_face=True), samples[:1])
    assert [(result.name, result.box) for result in results] == [("two", boxes[1]), ("two#2", boxes[0])]


def test_annotated_copies_and_explanations_are_written(mean_model: MeanModel, tmp_path: Path) -> None:
    predictor = Predictor(mean_model(), detect=False)
    writer = ExplanationWriter(Explainer(predictor), tmp_path / "explained")
    pipeline = PredictionPipeline(predictor, annotated=tmp_path / "annotated", explanations=writer)
    scored, missing = run(pipeline, [sample("a", 51), sample("b", 0, reason="no such file")])
    assert scored.picture == tmp_path / "explained/a.png"
    assert read_image(scored.picture).shape[1] > 2 * 224
    assert read_image(tmp_path / "annotated/a.png").shape == (320, 480, 3)
    assert missing.picture is None
    assert [path.name for path in (tmp_path / "annotated").iterdir()] == ["a.png"]


def test_a_score_that_is_not_finite_is_a_row_with_its_reason(
    mean_model: MeanModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(mean_model(), detect=False)
    monkeypatch.setattr(predictor, "predict_finite", lambda faces: [None, Prediction(0.8, 0.5)])
    bad, good = run(PredictionPipeline(predictor), [sample("a", 51), sample("b", 204)])
    assert (bad.prediction, bad.reason) == (None, "the model's score is not a finite number")
    assert (good.prediction, good.reason) == (Prediction(0.8, 0.5), "")


def test_automatic_detection_is_named_in_the_result(
    mean_model: MeanModel, photo_with: Callable[..., Any]
) -> None:
    photo = photo_with((200, 110, 70))
    samples = [
        InputSample("p", {"rgb": photo}, "p.png"),
        sample("wall", 51),
        sample("box", 51, box=(0, 0, 9, 9)),
    ]
    face, wall, box = run(PredictionPipeline(Predictor(mean_model())), samples)
    assert face.box is not None
    assert (face.detector, wall.detector, box.detector) == ("cascade", "cascade", None)
    assert (wall.prediction, wall.reason) == (None, "no face found")
    assert box.prediction is not None
