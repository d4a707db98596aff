"""Videos through the pipeline, with a drawn face that moves and a detector that counts what it searches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from attrs import evolve
from numpy.typing import NDArray

from fas_core.data.detectors import FaceDetector
from fas_core.data.faces import CropSettings
from fas_core.data.video import VideoFrame
from fas_core.errors import DataError
from fas_core.records.detected_face import DetectedFace
from fas_core.runtime import Predictor
from fas_core.runtime.inputs import InputSample, VideoInput
from fas_core.runtime.pictures import annotate
from fas_core.runtime.predict import CHUNK, PredictionPipeline
from fas_core.runtime.prediction import FaceResult

Image = NDArray[np.uint8]
MeanModel = Callable[..., Path]
VIDEO = VideoInput("clip.avi", Path("clip.avi"), "rgb", "clip", 1, None)
LENGTH = 11


class Detector:
    """Finds the drawn face by its colour, the brightest there is, and remembers which frames it searched."""

    def __init__(self) -> None:
        self.searched: list[int] = []
        self.error: Exception | None = None

    def __call__(self, image: Image) -> list[DetectedFace]:
        if self.error is not None:
            raise self.error
        self.searched.append(int(image[0, 0, 0]))  # where each frame has its number
        rows, columns = np.nonzero(image[..., 0] > 190)
        if not len(rows):
            return []
        x, y, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        return [DetectedFace((float(x), float(y), float(right - x), float(bottom - y)))]


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> Detector:
    fake = Detector()
    monkeypatch.setattr("fas_core.runtime.face_selection.face_detector", lambda _: FaceDetector("fake", fake))
    return fake


@pytest.fixture
def film(monkeypatch: pytest.MonkeyPatch, photo_with: Callable[..., Image]) -> list[VideoFrame]:
    """The frames of every video: a face that moves by (4, 1) pixels."""
    shown = []
    for index in range(LENGTH):
        image = photo_with((60 + 4 * index, 80 + index, 40), shape=(160, 200))
        image[0, 0] = index
        shown.append(VideoFrame(index + 1, image, 25.0, False))
    monkeypatch.setattr("fas_core.data.video.frames", lambda *_: iter(shown))
    return shown


@pytest.fixture
def predictor(mean_model: MeanModel, detector: Detector) -> Predictor:
    return Predictor(mean_model(side=32), detect=True, crops=CropSettings(margin=0))


def run(pipeline: PredictionPipeline, samples: Iterator[InputSample], workers: int = 1) -> list[FaceResult]:
    return [result for _, results in pipeline.run(samples, workers) for result in results]


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.usefixtures("film")
def test_without_tracking_each_frame_has_the_boxes_and_scores_of_its_picture(
    predictor: Predictor, detector: Detector, workers: int
) -> None:
    rows = run(PredictionPipeline(predictor), VIDEO.samples(), workers)
    photos = [evolve(sample, frame=None) for sample in VIDEO.samples()]
    expected = run(PredictionPipeline(predictor), iter(photos))
    assert [(row.name, row.box, row.prediction) for row in rows] == [
        (row.name, row.box, row.prediction) for row in expected
    ]
    assert [(row.video, row.frame, row.track) for row in rows] == [
        ("clip.avi", number, 1) for number in range(1, LENGTH + 1)
    ]
    assert all((row.video, row.frame, row.track) == (None, None, None) for row in expected)
    assert sorted(detector.searched) == sorted([*range(LENGTH)] * 2)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.usefixtures("film")
def test_between_detections_faces_are_followed(
    predictor: Predictor, detector: Detector, workers: int
) -> None:
    exact = run(PredictionPipeline(predictor), VIDEO.samples())
    detector.searched.clear()
    rows = run(PredictionPipeline(predictor, detect_every=5), VIDEO.samples(), workers)
    assert sorted(detector.searched) == [0, 5, 10]
    assert [row.name for row in rows] == [row.name for row in exact]
    assert {row.track for row in rows} == {1}
    assert {row.detector for row in rows} == {"fake"}
    for row, other in zip(rows, exact, strict=True):
        assert row.box is not None
        assert other.box is not None
        np.testing.assert_allclose(row.box, other.box, atol=2)
        assert row.prediction is not None
        assert other.prediction is not None
        assert row.prediction.score == pytest.approx(other.prediction.score, abs=0.02)


def test_the_next_video_has_tracks_of_its_own_and_photos_none(
    predictor: Predictor, detector: Detector, film: list[VideoFrame]
) -> None:
    photo = InputSample("a.png", {"rgb": film[0].image}, "a.png")
    samples = [*VIDEO.samples(), photo, *VIDEO.samples()]
    rows = run(PredictionPipeline(predictor, detect_every=4), iter(samples))
    assert [row.track for row in rows] == [1] * LENGTH + [None] + [1] * LENGTH
    assert detector.searched == [0, 4, 8, 0, 0, 4, 8] or sorted(detector.searched) == [0, 0, 0, 4, 4, 8, 8]


def test_a_lost_face_is_detected_where_it_is(
    predictor: Predictor, detector: Detector, film: list[VideoFrame], photo_with: Callable[..., Image]
) -> None:
    for index in range(6, LENGTH):  # a cut
        film[index].image[:] = photo_with((150, 70, 30), shape=(160, 200))
        film[index].image[0, 0] = index
    rows = run(PredictionPipeline(predictor, detect_every=LENGTH), VIDEO.samples())
    assert [row.track for row in rows] == [1] * 6 + [2] * 5
    assert detector.searched == [0, 6, 7, 8, 9, 10], "the face before the cut is looked for five frames long"


@pytest.mark.usefixtures("film")
def test_a_detector_that_is_not_at_hand_is_the_reason_of_each_frame(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> FaceDetector:
        raise DataError("the detector is damaged")

    monkeypatch.setattr("fas_core.runtime.face_selection.face_detector", fail)
    rows = run(PredictionPipeline(predictor, detect_every=3), VIDEO.samples())
    assert [(row.prediction, row.reason) for row in rows] == [(None, "the detector is damaged")] * LENGTH


@pytest.mark.usefixtures("film")
def test_a_video_lacks_what_the_model_needs(mean_model: MeanModel, detector: Detector) -> None:
    predictor = Predictor(mean_model(("rgb", "ir")))
    rows = run(PredictionPipeline(predictor), VIDEO.samples())
    assert {row.reason for row in rows} == {"no 'ir' image: the model takes rgb, ir"}
    assert detector.searched == []


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.usefixtures("film")
def test_a_failure_ends_the_video_and_its_threads(
    predictor: Predictor, detector: Detector, workers: int
) -> None:
    detector.error = ZeroDivisionError("a bug")
    with pytest.raises(Exception, match="a bug"):
        run(PredictionPipeline(predictor), VIDEO.samples(), workers)
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


def test_few_frames_are_in_memory(
    predictor: Predictor, film: list[VideoFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    def endless(*_: Any) -> Iterator[VideoFrame]:
        while True:
            taken.append(len(taken))
            yield evolve(film[0], number=len(taken))

    monkeypatch.setattr("fas_core.data.video.frames", endless)
    workers = 2
    results = PredictionPipeline(predictor).run(VIDEO.samples(), workers)
    for scored in range(1, 4):
        assert next(results)[0] == CHUNK
        assert len(taken) <= (scored + workers + 1) * CHUNK + workers + 2
    del results


def test_a_picture_of_now_does_not_wait_for_others(predictor: Predictor, film: list[VideoFrame]) -> None:
    film[:] = [evolve(frame, is_live=True) for frame in film]
    assert [count for count, _ in PredictionPipeline(predictor).run(VIDEO.samples(), 1)] == [1] * LENGTH


def read(path: Path) -> list[Image]:
    capture, images = cv2.VideoCapture(str(path)), []
    while (got := capture.read())[0]:
        images.append(np.asarray(got[1][..., ::-1], np.uint8))
    capture.release()
    return images


@pytest.mark.parametrize("workers", [1, 3])
def test_a_video_is_annotated_as_a_video(
    predictor: Predictor, film: list[VideoFrame], tmp_path: Path, workers: int
) -> None:
    """Two videos in turn, each with as many frames as were scored, of the source's size and speed."""
    other = evolve(VIDEO, name="b.avi", copy_path="sub/b", every=2)
    pipeline = PredictionPipeline(predictor, annotated=tmp_path / "out", annotated_videos=True)
    photo = InputSample("a.png", {"rgb": film[0].image}, "a.png")
    results = run(pipeline, iter([*VIDEO.samples(), photo, *other.samples()]), workers)
    assert len(results) == 2 * LENGTH + 1
    files = {
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert files == {"clip.mp4", "sub/b.mp4", "a.png"}
    for name, rate in (("clip.mp4", 25.0), ("sub/b.mp4", 12.5)):
        images = read(tmp_path / "out" / name)
        assert [image.shape for image in images] == [(160, 200, 3)] * LENGTH
        assert cv2.VideoCapture(str(tmp_path / "out" / name)).get(cv2.CAP_PROP_FPS) == pytest.approx(rate)
    for index, (image, result) in enumerate(zip(read(tmp_path / "out/clip.mp4"), results, strict=False)):
        drawn = annotate(film[index].image, [result], min_side=1)
        assert np.abs(image.astype(int) - drawn).mean() < 6, "but for the compression"
        assert np.abs(image.astype(int) - film[index].image).mean() > 6


@pytest.mark.parametrize("stop", ["break", "failure"])
@pytest.mark.usefixtures("film")
def test_a_video_that_is_not_finished_leaves_no_file(
    predictor: Predictor, tmp_path: Path, stop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = PredictionPipeline(predictor, annotated=tmp_path / "out", annotated_videos=True)
    results = pipeline.run(VIDEO.samples(), 2)
    next(results)
    assert [path.name.startswith(".") for path in (tmp_path / "out").iterdir()] == [True]
    if stop == "break":
        results.close()  # type: ignore[attr-defined]
    else:
        monkeypatch.setattr(predictor, "predict_finite", lambda faces: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            list(
                PredictionPipeline(predictor, annotated=tmp_path / "out", annotated_videos=True).run(
                    VIDEO.samples(), 2
                )
            )
        results.close()  # type: ignore[attr-defined]
    assert list((tmp_path / "out").iterdir()) == []
