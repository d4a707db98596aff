"""The training curves in a run's folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from fas_core import FasError, Recipe, train
from fas_core.contracts import EpochFinished, RunFailed, RunFinished
from fas_plugins.trackers import curves

DEV = {"eer": 0.25, "acer_max": 0.5}
DRAW = curves.draw
"""While trainings of other tests draw none."""


@pytest.fixture(autouse=True)
def _curves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "draw", DRAW)


def test_a_training_leaves_them_in_its_folder(
    training_faces: Path, tmp_path: Path, make_recipe: Callable[..., Recipe]
) -> None:
    recipe = make_recipe(training_faces, {"model": {"input_size": 32}}, epochs=1)
    train(recipe, runs=tmp_path, name="run")
    assert cv2.imread(str(tmp_path / "run" / "curves.png")) is not None


def write_epochs(run: Path, *records: dict[str, Any]) -> None:
    run.mkdir(exist_ok=True)
    lines = [json.dumps({"epoch": number, **record}) for number, record in enumerate(records, 1)]
    (run / "metrics.jsonl").write_text("\n".join(lines) + "\n")


def draw(run: Path) -> Any:
    """Finish a run and return its picture, (H, W, 3)."""
    curves.fas_run_finished(RunFinished(run, {}, 0.1))
    return cv2.imread(str(run / "curves.png"))


def test_dev_has_a_plot_below_the_loss(tmp_path: Path) -> None:
    write_epochs(tmp_path / "a", {"loss": 0.5}, {"loss": 0.25})
    write_epochs(tmp_path / "b", {"loss": 0.5, "dev": DEV, "best": True}, {"loss": 0.25})
    without, with_dev = draw(tmp_path / "a"), draw(tmp_path / "b")
    assert without.shape[1] == with_dev.shape[1] == 720
    assert without.shape[0] < with_dev.shape[0]
    assert without.min() < 100


@pytest.mark.parametrize(
    "records",
    [
        [{"loss": 0.5}],
        [{"loss": None, "dev": {"eer": None}}],
        [{"loss": 0.5}, {"loss": 0.25, "dev": DEV, "best": False}],
    ],
    ids=["one epoch", "no numbers", "dev every second epoch"],
)
def test_whatever_an_epoch_lacks_the_curves_are_drawn(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    write_epochs(tmp_path / "<b>$x$", *records)
    assert draw(tmp_path / "<b>$x$") is not None


def test_while_the_run_is_trained_they_are_drawn_at_most_every_half_minute(tmp_path: Path) -> None:
    write_epochs(tmp_path, {"loss": 0.5})
    file = tmp_path / "curves.png"
    event = EpochFinished(tmp_path, 1, {"epoch": 1, "loss": 0.5})
    curves.fas_epoch_finished(event)
    first = file.read_bytes()
    write_epochs(tmp_path, {"loss": 0.5}, {"loss": 0.25})
    curves.fas_epoch_finished(event)
    assert file.read_bytes() == first
    os.utime(file, (file.stat().st_mtime - 31,) * 2)
    curves.fas_epoch_finished(event)
    assert file.read_bytes() != first


def test_the_last_epoch_is_drawn_once(tmp_path: Path) -> None:
    write_epochs(tmp_path, {"loss": 0.5})
    curves.fas_epoch_finished(EpochFinished(tmp_path, 1, {"epoch": 1, "loss": 0.5}))
    file = tmp_path / "curves.png"
    drawn = file.stat()
    curves.fas_run_finished(RunFinished(tmp_path, {}, 0.1))
    curves.fas_run_failed(RunFailed(tmp_path, "a full disk", interrupted=False))
    assert file.stat() == drawn


def test_a_run_that_fails_has_the_curves_of_its_last_epoch(tmp_path: Path) -> None:
    write_epochs(tmp_path, {"loss": 0.5})
    draw(tmp_path)
    first = (tmp_path / "curves.png").read_bytes()
    write_epochs(tmp_path, {"loss": 0.5}, {"loss": 0.25})
    curves.fas_run_failed(RunFailed(tmp_path, "no images", interrupted=False))
    assert (tmp_path / "curves.png").read_bytes() != first


def test_a_run_that_fails_before_its_first_epoch_has_none(tmp_path: Path) -> None:
    curves.fas_run_failed(RunFailed(tmp_path, "no images", interrupted=False))
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fas_core.errors.find_spec", lambda name: None)
    with pytest.raises(FasError, match=r"pip install 'fas-core\[report\]'"):
        draw(tmp_path)
