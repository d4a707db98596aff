"""From pictures to verdicts, with models whose score is the mean of the pixels."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fas_core import Card, ConfigError, DataError, ModelError
from fas_core.data.images import prepare
from fas_core.records.model_input import ModelInput, Resize, ScaledCrop
from fas_core.runtime import Prediction, Predictor, model_file
from fas_core.scores.thresholds import Threshold

MeanModel = Callable[..., Path]


def grey(level: int, height: int = 20, width: int = 30) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def test_a_verdict(mean_model: MeanModel) -> None:
    found = Predictor(mean_model(), detect=False)(rgb=grey(204))
    assert (found.score, found.threshold) == (pytest.approx(0.8), 0.5)
    assert (found.live, found.verdict) == (True, "live")
    assert Predictor(mean_model(), detect=False)(rgb=grey(51)).verdict == "attack"
    assert Prediction(0.5, 0.5).live


def test_files_and_arrays_are_resized_as_the_card_says(mean_model: MeanModel, tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), image[..., ::-1])
    predictor = Predictor(mean_model(side=16), detect=False)
    expected = prepare(image, 16, Resize()).mean() / 255
    for picture in (image, tmp_path / "a.png", str(tmp_path / "a.png"), image.copy(order="F")):
        assert predictor(rgb=picture).score == pytest.approx(expected, abs=1e-6)


class Remembering:
    """Stands for an engine whose score is the mean of the pixels, and keeps what it was given."""

    inputs, outputs = ("rgb",), ("score",)

    def __init__(self, card: Card) -> None:
        self.metadata = card.to_json()

    def run(self, names: Sequence[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        self.given = inputs["rgb"]
        return [self.given.mean((1, 2, 3)) / 255 for _ in names]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Remembering:
    """What opens every file: it takes faces of 8 x 8 pixels, whole."""
    takes = ModelInput(("rgb",), 8, resize=Resize(crop=1.0))
    engine = Remembering(Card(takes, Threshold(0.5, "fixed:0.5", "given")))
    monkeypatch.setattr(model_file, "open_engine_on", lambda *_, **__: (engine, "cpu"))
    return engine


def test_a_face_that_fits_reaches_the_engine_without_a_copy(engine: Remembering) -> None:
    image = grey(51, 8, 8)
    assert Predictor("model.onnx", detect=False)(rgb=image).score == pytest.approx(0.2)
    assert np.shares_memory(engine.given, image)


def test_engines_are_given_writable_arrays_without_gaps(engine: Remembering) -> None:
    predictor, image = Predictor("model.onnx", detect=False), np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    fixed = image.copy()
    fixed.flags.writeable = False
    for picture in (image, fixed, image.copy(order="F"), np.repeat(image, 2, axis=1)[:, ::2]):
        assert predictor(rgb=picture).score == pytest.approx(image.mean() / 255)
        assert engine.given.flags.carray
    assert predictor(rgb=image[:4, :4]).score == pytest.approx(
        prepare(image[:4, :4], 8, Resize(1.0)).mean() / 255
    )


def test_grey_and_sixteen_bit_depth(mean_model: MeanModel) -> None:
    predictor = Predictor(mean_model(("depth",)), detect=False)
    assert predictor(depth=grey(51)[..., 0]).score == pytest.approx(0.2)
    assert predictor(depth=np.full((9, 9), 700, np.uint16)).score == pytest.approx(1 / 255)


def test_batches(mean_model: MeanModel) -> None:
    predictor = Predictor(mean_model(("rgb", "ir")), threads=1, detect=False)
    levels = [3 * number for number in range(70)]
    rgb, ir = [grey(level) for level in levels], np.stack([grey(level, 9, 9) for level in levels])
    found = predictor.batch(rgb=rgb, ir=ir)
    np.testing.assert_allclose([one.score for one in found], np.array(levels) / 255, atol=1e-6)
    assert predictor.batch(rgb=[], ir=[]) == []


def test_what_is_missing_is_done_without_where_the_model_can(mean_model: MeanModel) -> None:
    predictor = Predictor(mean_model(("rgb", "ir"), partial=True), detect=False)
    assert predictor(rgb=grey(51)).score == pytest.approx(0.2)
    assert predictor(rgb=None, ir=grey(102)).score == pytest.approx(0.4)
    found = predictor.batch(rgb=[grey(51), None, grey(51)], ir=[None, grey(102), grey(102)])
    assert [one.score for one in found] == pytest.approx([0.2, 0.4, 0.3])
    with pytest.raises(DataError, match="no 'rgb' image: the model takes one or more of rgb, ir"):
        predictor()


def test_threads_may_share_one(mean_model: MeanModel) -> None:
    predictor = Predictor(mean_model(), threads=1, detect=False)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda level: predictor(rgb=grey(level)).score, range(60)))
    np.testing.assert_allclose(found, np.arange(60) / 255, atol=1e-6)


def test_another_threshold(mean_model: MeanModel) -> None:
    assert not Predictor(mean_model(), threshold=0.9, detect=False)(rgb=grey(204)).live
    assert Predictor(mean_model(threshold=None), threshold=0.1, detect=False)(rgb=grey(51)).live
    with pytest.raises(ModelError, match=r"no threshold goes with it: give one, e\.g\. fixed:0\.5"):
        Predictor(mean_model(threshold=None), detect=False)


@pytest.mark.parametrize(
    ("images", "match"),
    [
        ({"rgb": grey(1)}, "no 'ir' image: the model takes rgb, ir"),
        ({"rgb": grey(1), "ir": grey(1), "depht": grey(1)}, "'depht' image: the model takes rgb, ir"),
        ({"rgb": grey(1), "ir": grey(1) / 255}, r"'ir': float64 \(20, 30, 3\): give uint8"),
        ({"rgb": grey(1), "ir": grey(1)[None]}, r"'ir': uint8 \(1, 20, 30, 3\)"),
        ({"rgb": grey(1), "ir": "nowhere.png"}, "nowhere.png: no such image"),
    ],
    ids=["missing", "unknown", "float", "batch", "no file"],
)
def test_other_images_are_refused(mean_model: MeanModel, images: dict[str, Any], match: str) -> None:
    with pytest.raises(DataError, match=match) as refusal:
        Predictor(mean_model(("rgb", "ir")), detect=False)(**images)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("images", "match"),
    [
        ({"rgb": [grey(1)], "ir": [grey(1), grey(2)]}, "not 1 rgb, 2 ir"),
        ({"rgb": "a.png", "ir": [grey(1)]}, "'rgb': give a list of images, or call the predictor itself"),
        ({"rgb": [grey(1), None], "ir": [grey(1), grey(2)]}, "no 'rgb' image"),
    ],
)
def test_other_batches_are_refused(mean_model: MeanModel, images: dict[str, Any], match: str) -> None:
    with pytest.raises(DataError, match=match):
        Predictor(mean_model(("rgb", "ir")), detect=False).batch(**images)


def test_the_documented_example(
    mean_model: MeanModel,
    tmp_path: Path,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (repository / "docs" / "predict.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    mean_model()
    for place in (tmp_path, tmp_path / "faces"):
        place.mkdir(exist_ok=True)
        cv2.imwrite(str(place / "face.jpg"), grey(204))
    (tmp_path / "crops.jsonl").touch()  # plain images are no photos of faces
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert capsys.readouterr().out.splitlines() == [
        "('rgb',) 8 0.5",
        "0.800000011920929 0.5 True live",
        "attack",
        "faces/face.jpg 0.800000011920929 live",
    ]


def test_a_reject_band_is_of_the_card_or_given(mean_model: MeanModel) -> None:
    face = grey(128)  # score 0.502
    assert Predictor(mean_model(), detect=False)(rgb=face).live is True
    assert Predictor(mean_model(), detect=False, reject="0.4:0.6")(rgb=face).live is None
    with pytest.raises(ConfigError, match=r"does not contain the threshold 0\.5"):
        Predictor(mean_model(), reject="0.6:0.7")
    with pytest.raises(DataError, match="fas export RUN --reject"):
        Predictor(mean_model(), reject="error:0.01")


def test_a_face_far_from_the_training_data_is_novel() -> None:
    far, near = Prediction(0.9, 0.5, None, 2.5, 2.0), Prediction(0.9, 0.5, None, 2.0, 2.0)
    assert (far.is_novel, near.is_novel, Prediction(0.9, 0.5).is_novel) == (True, False, False)
    assert far.live is True  # a warning, no verdict
    assert far.novelty_to_json() == {"distance": 2.5, "limit": 2.0, "novel": True}


def test_a_photo_without_a_face_is_refused_by_default(mean_model: MeanModel, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), grey(204, 240, 320))
    predictor = Predictor(mean_model())
    with pytest.raises(DataError, match=r"wall\.png: no face found; give detect=False"):
        predictor(rgb=tmp_path / "wall.png")
    with pytest.raises(DataError, match="no face found"):
        predictor.batch(rgb=[grey(204)])
    (tmp_path / "crops.jsonl").touch()  # the log of `fas data crop`
    assert predictor(rgb=tmp_path / "wall.png").live


def test_a_photo_is_cropped_to_its_face(mean_model: MeanModel, photo_with: Callable[..., Any]) -> None:
    photo = photo_with((200, 110, 70))
    predictor = Predictor(mean_model(side=32))
    (crop,) = predictor.faces.select({"rgb": photo}).crops
    assert crop.box is not None
    expected = Predictor(mean_model(side=32), detect=False)(rgb=crop.images["rgb"])
    assert predictor(rgb=photo).score == pytest.approx(expected.score)
    assert predictor(rgb=crop.images["rgb"]).score == pytest.approx(expected.score)  # taken as it is


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_no_verdict(mean_model: MeanModel, score: float) -> None:
    predictor = Predictor(mean_model(), detect=False)
    model = predictor.model

    class Broken:
        path, card = model.path, model.card

        def __call__(self, images: Any, presence: Any = None) -> Any:
            scores = model(images, presence)
            scores[0] = score
            return scores

    broken = Predictor(Broken(), detect=False)
    faces = [broken.prepare({"rgb": grey(level)}) for level in (51, 204)]
    first, second = broken.predict_finite(faces)
    assert first is None
    assert second is not None
    assert second.score == pytest.approx(0.8)
    with pytest.raises(ModelError, match="the model's score is not a finite number"):
        broken(rgb=grey(51))


def test_a_model_of_two_crops_of_one_photo_takes_the_photo(mean_model: MeanModel) -> None:
    crops = {"near": ScaledCrop(1.0, "rgb"), "far": ScaledCrop(2.0, "rgb")}
    path = mean_model(("near", "far"), side=10, crops=crops)
    photo = grey(0, 60, 60)
    photo[20:40, 20:40] = 255
    predictor = Predictor(path, detect=False)
    (crop,) = predictor.faces.select({"rgb": photo}, box=(20, 20, 19, 19)).crops
    # The face is white, and a quarter of the region of twice its side, less the last row and column.
    (prediction,) = predictor.predict([predictor.prepare(crop.images)])
    assert prediction.score == pytest.approx((1 + 400 / 39**2) / 2, abs=0.01)
    assert predictor(rgb=grey(51)).score == pytest.approx(0.2)
    with pytest.raises(DataError, match="no 'rgb' image: the model takes rgb"):
        predictor(near=grey(51))
