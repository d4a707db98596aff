"""The contract check of trackers: see `fas_core.testing.checks`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pluggy

from fas_core.config.load import to_plain
from fas_core.config.recipe import Recipe
from fas_core.descriptors import Tracker
from fas_core.hookspecs import bind_hooks
from fas_core.records.run_events import CheckpointWritten, EpochFinished, RunFailed, RunFinished, RunStarted
from fas_core.registry import registry
from fas_core.testing.rules import rule
from fas_core.testing.support import explain, load_component

EPOCHS = (
    {"epoch": 1, "loss": 0.5, "lr": 0.01, "dev": {"eer": 0.25, "auc": None}, "best": True},
    {"epoch": 2, "loss": 0.4, "lr": 0.01},
)
"""Records of a run that is evaluated on dev every second epoch, with a figure that is not defined."""


@rule("events")
def check_tracker(component: str | Tracker, folder: Path, options: Any = None) -> None:
    """Check that it implements event hooks, and follows runs without an exception or a warning.

    Two runs with folders in `folder`: one of two epochs to its end, and one that goes on after its first
    epoch and is stopped at once.
    """
    descriptor, target, options = load_component(Tracker, component, options)
    name = descriptor.name

    def start(run: str, finished: int) -> tuple[Path, pluggy.HookRelay]:
        path = folder / run
        path.mkdir(exist_ok=True)
        with explain(name, "target(options)", strict=True):
            hooks = bind_hooks(target(options), name)
        recipe, history = to_plain(Recipe(), registry()), EPOCHS[:finished]
        with explain(name, "fas_run_started", strict=True):
            hooks.fas_run_started(event=RunStarted(path, recipe, "cpu", 10, 10, len(EPOCHS), history))
        return path, hooks

    path, hooks = start("run", 0)
    for record in EPOCHS:
        with explain(name, f"fas_epoch_finished of epoch {record['epoch']}", strict=True):
            hooks.fas_epoch_finished(event=EpochFinished(path, int(str(record["epoch"])), record))
        with explain(name, "fas_checkpoint_written", strict=True):
            hooks.fas_checkpoint_written(event=CheckpointWritten(path, path / "state.pt", 1, 0))
    with explain(name, "fas_run_finished", strict=True):
        results = {"test": {"metrics": {"acer": 0.25, "auc": None}}}
        hooks.fas_run_finished(event=RunFinished(path, results, train_hours=0.1))
    path, hooks = start("stopped", 1)
    with explain(name, "fas_run_failed", strict=True):
        hooks.fas_run_failed(event=RunFailed(path, "KeyboardInterrupt", interrupted=True))
