"""The live view of a run: its lines, and the bar of the whole run with the remaining time and dev figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from fixtures.followed import make_training

from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.records.run_events import RunStarted
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.training.follow import follow, format_start

MakeRecipe = Callable[..., Recipe]
Streams = pytest.CaptureFixture[str]
EPOCH = {"loss": 0.5, "lr": 0.01, "images_per_second": 10, "best": True}


class Clock:
    """A clock that is set."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    console.reset()
    clock = Clock()
    monkeypatch.setattr(console, "clock", clock)
    return clock


def test_a_pipe_has_the_time_that_the_whole_run_takes_and_dev_figures_so_far(
    tmp_path: Path, make_recipe: MakeRecipe, clock: Clock, capsys: Streams
) -> None:
    training = make_training(tmp_path, make_recipe(tmp_path, epochs=4))
    training.run.create()
    with follow(training):
        following = training.following
        for epoch, eer in ((1, 0.125), (2, 0.25)):
            following.advance(90)  # the last batch is not full
            clock.seconds += 20
            training.run.append_metrics(record := EPOCH | {"epoch": epoch, "dev": {"eer": eer}})
            following.finish_epoch(record)
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "device cpu (1 thread): 3 parameters, all trained"
    assert "epoch 2/4  loss 0.5000  lr 0.01  10/s  dev EER 25.00 %  best" in out
    assert err == "run: 200 of 400 samples, 5.0/s, 40 s left, EER 25.00 %, best 12.50 %\n"


def test_a_run_that_goes_on_counts_what_was_done_and_knows_the_best(
    tmp_path: Path, make_recipe: MakeRecipe, clock: Clock, capsys: Streams
) -> None:
    recipe = make_recipe(tmp_path, epochs=4)
    Run(tmp_path, recipe, registry()).create()
    Run(tmp_path, recipe, registry()).append_metrics(EPOCH | {"epoch": 1, "dev": {"eer": 0.125}})
    training = make_training(tmp_path, recipe, epoch=1, images=50)
    with follow(training):
        clock.seconds += 30
        training.following.advance(50)
    line = "run: 200 of 400 samples, 1.7/s, 2 min left, EER 12.50 %, best 12.50 %\n"
    assert capsys.readouterr().err == line


def test_layers_that_are_not_trained_are_counted_apart(tmp_path: Path) -> None:
    accelerator: Any = SimpleNamespace(device=torch.device("cpu"), num_processes=2)
    event = RunStarted(tmp_path, {}, "cpu", 1_234_567, 1_026, 3)
    text = "device cpu (1 thread) x 2 processes: 1,234,567 parameters, 1,026 of them trained"
    assert format_start(event, accelerator) == text
