"""Verdicts on images, by an exported model whose score is the mean grey level / 255."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fas_core.errors import ConfigError, FasError
from fas_core.inference.predict_inputs import PictureOptions, PredictOptions, Verdicts, predict_inputs

MeanModel = Callable[..., Path]


@pytest.fixture
def images(tmp_path: Path, save: Callable[..., Path]) -> list[str]:
    """A dark and a bright image: scores 0.2 and 0.8."""
    return [
        str(save(tmp_path / "images" / f"{level}.png", np.full((16, 16, 3), level, np.uint8)))
        for level in (51, 204)
    ]


def predict(model: Path, inputs: list[str], **options: str) -> Verdicts:
    return predict_inputs(
        model, inputs, PredictOptions(**{"threads": 1, "detect": False, **options}), PictureOptions()
    )  # type: ignore[arg-type]


def verdicts(result: Verdicts) -> list[str | None]:
    return [row.prediction and row.prediction.verdict for row in result.rows]


def test_inputs_are_scored_in_order_at_the_models_threshold(mean_model: MeanModel, images: list[str]) -> None:
    result = predict(mean_model(), images)
    scores = [row.prediction.score for row in result.rows if row.prediction]
    np.testing.assert_allclose(scores, [0.2, 0.8], atol=1e-6)
    assert verdicts(result) == ["attack", "live"]
    assert result.threshold.value == 0.5
    assert not result.grad_cam


def test_a_given_threshold_replaces_the_models(mean_model: MeanModel, images: list[str]) -> None:
    result = predict(mean_model(threshold=None), images, threshold="fixed:0.1")
    assert verdicts(result) == ["live", "live"]
    assert (result.threshold.value, result.threshold.source) == (0.1, "given")


def test_a_folder_is_scored_by_its_images(mean_model: MeanModel, images: list[str]) -> None:
    assert verdicts(predict(mean_model(), [str(Path(images[0]).parent)])) == ["live", "attack"]


def test_an_unreadable_image_has_a_reason(mean_model: MeanModel, images: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("text")
    rows = predict(mean_model(), [str(tmp_path / "bad.png"), *images]).rows
    assert [row.prediction is None for row in rows] == [True, False, False]
    assert rows[0].reason


def test_annotated_copies_are_written(mean_model: MeanModel, images: list[str], tmp_path: Path) -> None:
    pictures = PictureOptions(annotated=tmp_path / "annotated")
    predict_inputs(mean_model(), images, PredictOptions(detect=False, threads=2), pictures)
    assert sorted(path.name for path in (tmp_path / "annotated").rglob("*.png")) == ["204.png", "51.png"]


def test_bad_models_and_options_are_refused(mean_model: MeanModel, images: list[str], tmp_path: Path) -> None:
    with pytest.raises(FasError, match="threshold"):
        predict(mean_model(threshold=None), images)
    with pytest.raises(ConfigError, match="threshold 'often'"):
        predict(mean_model(), images, threshold="often")
    with pytest.raises(FasError, match=r"none\.onnx"):
        predict(tmp_path / "none.onnx", images)


def test_a_run_takes_no_description_of_an_external_model(tmp_path: Path, images: list[str]) -> None:
    (tmp_path / "recipe.yaml").write_text("")
    with pytest.raises(ConfigError, match="--foreign describes a model that is not ours"):
        predict(tmp_path, images, external="external.yaml")
