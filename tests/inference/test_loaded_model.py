"""Loaded models: their thresholds of videos, and how they crop photos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fas_core.config.components import DatasetChoice
from fas_core.errors import ConfigError
from fas_core.inference.loaded_model import LoadedModel, load_run
from fas_core.inference.score_samples import score_samples
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import SampleTable
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, fit_threshold
from fas_core.scores.videos import by_video


def frames(videos: list[str] | None) -> ScoreTable:
    """Six videos of four frames: one frame of each is the other way round."""
    labels = np.repeat([1, 0, 1, 0, 1, 0], 4)
    scores = np.where(np.tile([1, 1, 1, 0], 6) == labels, 0.8, 0.1) + np.arange(24) / 1000
    columns = {"id": [str(row) for row in range(24)], "score": scores, "label": labels}
    return ScoreTable.of(columns if videos is None else columns | {"video": videos})


VIDEOS = [f"v{row // 4}" for row in range(24)]


def loaded_model(dev: ScoreTable | None, threshold: Threshold | None) -> LoadedModel:
    return LoadedModel(
        path=Path("runs/one"),
        scorer=lambda images, presence=None: np.zeros(0),
        input=ModelInput(("rgb",), 64),
        data=DatasetChoice("folder"),
        metrics=(),
        own_threshold=threshold,
        fitting_scores=dev,
    )


def test_dev_scores_give_a_threshold_of_videos() -> None:
    dev = frames(VIDEOS)
    own = fit_threshold("eer", dev)
    model = loaded_model(dev, own).of_videos("median")
    assert model.fitting_scores is not None
    assert len(model.fitting_scores) == 6
    assert model.own_threshold == fit_threshold("eer", by_video(dev, "median"))
    assert model.own_threshold != own
    assert model.threshold("bpcer<=0.3") == fit_threshold("bpcer<=0.3", by_video(dev, "median"))


def test_without_dev_scores_there_is_none_and_it_says_why() -> None:
    model = loaded_model(None, Threshold(0.4, "eer", "dev")).of_videos("mean")
    assert model.own_threshold is None
    assert model.why.startswith("runs/one: its own is fitted on frames, which is none for videos")
    assert model.threshold(None) is None


def test_dev_scores_without_videos_likewise() -> None:
    model = loaded_model(frames(None), Threshold(0.4, "eer", "dev")).of_videos("mean")
    assert model.own_threshold is None
    assert model.why == "runs/one: dev scores: 24 of 24 samples have no video, so none can be made of them"


@pytest.mark.parametrize("dev", [None, frames(None), frames(VIDEOS)])
def test_a_threshold_that_was_given_stays(dev: ScoreTable | None) -> None:
    given = Threshold(0.4, "fixed:0.4", "given")
    assert loaded_model(dev, given).of_videos("mean").own_threshold == given


def test_a_threshold_calibrated_on_photos_is_none_for_videos() -> None:
    calibrated = Threshold(0.4, "calibrated:0.05", "3 people, 2026-11-29")
    model = loaded_model(frames(None), calibrated).of_videos("mean")
    assert model.own_threshold is None
    assert "calibrated on photos" in model.why


def test_a_run_that_states_its_crops_gives_no_score_to_a_photo_without_a_face(
    trained: Path, tmp_path: Path
) -> None:
    run = Run.open(trained, registry())
    assert load_run(run).faces is None
    with pytest.raises(ConfigError, match="--detector is for models that crop photos"):
        load_run(run, "cascade")
    cropping = load_run(run.changed({"crops": {"rgb": {"scale": 2}}}), "cascade")
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((100, 100, 3), np.uint8))
    columns = {"id": ["a", "b"], "rgb": ["a.png", "b.png"], "box": [[20, 20, 30, 30], None]}
    samples = SampleTable.of(columns, modalities=["rgb"], root=tmp_path)
    scores = score_samples(cropping.scorer, samples, model_input=cropping.input, faces=cropping.faces)
    assert np.isnan(scores.scores).tolist() == [False, True]
