"""Long commands report their progress in a pipe: on stderr, also with `--json`."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import Result

from fas_core.console import console

Fas = Callable[..., Result]


@pytest.fixture(autouse=True)
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is 31 seconds later each time, so that a line is always due."""
    monkeypatch.setattr(console, "clock", count(step=31.0).__next__)


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """Scores of 20 live samples and 20 attacks, in `0.csv` and `1.csv`, which differ."""
    for number in range(2):
        values = np.random.default_rng(number).random(40)
        rows = [f"{row},{value:.4f},{row % 2}" for row, value in enumerate(values)]
        (tmp_path / f"{number}.csv").write_text("\n".join(["id,score,label", *rows]) + "\n")
    return tmp_path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photos without a face, and a video of two frames."""
    (tmp_path / "photos").mkdir()
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for number in range(3):
        cv2.imwrite(str(tmp_path / "photos" / f"{number}.png"), image)
    writer = cv2.VideoWriter(
        str(tmp_path / "photos" / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64)
    )
    for _ in range(2):
        writer.write(image)
    writer.release()
    return tmp_path / "photos"


def assert_progress(result: Result, *texts: str) -> None:
    assert result.exit_code == 0, result.output
    for text in texts:
        assert text in result.stderr
    json.loads(result.stdout)


def test_of_commands_on_scores(fas: Fas, scores: Path) -> None:
    first, second = scores / "0.csv", scores / "1.csv"
    fixed = ("--threshold", "fixed:0.5", "--json", "--replicates")
    assert_progress(fas("score", first, *fixed, 5), "bootstrap: 5 of 5 replicates, ")
    ensemble = fas("ensemble", first, second, "--dev", first, second, "--rule", "weighted", *fixed, 5)
    assert_progress(ensemble, "fitting weights: 1 of 10000 steps", "paired bootstrap: 5 of 5 replicates, ")
    drift = fas("drift", first, second, *fixed, 200)
    assert_progress(drift, "permutation test: 200 of 200 divisions, ")


def test_of_models_list(fas: Fas) -> None:
    assert_progress(fas("models", "list", "--kind", "fusion", "--json"), "measuring: 1 of ", " networks, ")


def test_of_data_crop_and_frames(fas: Fas, photos: Path, tmp_path: Path) -> None:
    assert_progress(fas("data", "crop", photos, tmp_path / "crops", "--json"), "cropping: 3 of 3 photos, ")
    assert_progress(
        fas("data", "frames", photos, tmp_path / "frames", "--json"), "extracting: 1 of 1 videos, "
    )


def test_of_train(fas: Fas, recipe_file: Path, tmp_path: Path) -> None:
    result = fas("train", recipe_file, "--runs", tmp_path, "-b", 8, "--json")
    assert_progress(
        result, "epoch 1/1: 8 of 24 samples, ", "epoch 1/1: 24 of 24 samples, ", "dev: 24 of 24 samples, "
    )
