"""The trackers: what records a run's figures for other programs, where a recipe chooses it."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Tracker, hookimpl
from fas_plugins.trackers.options import AccelerateOptions


@hookimpl
def fas_trackers() -> Iterator[Tracker]:
    yield Tracker(
        name="csv",
        summary="epochs.csv in the run's folder: a line an epoch, for spreadsheets",
        target="fas_plugins.trackers.csv_table:CsvTable",
    )
    yield Tracker(
        name="tensorboard",
        summary="Event files in the run's folder, for `tensorboard --logdir runs`",
        target="fas_plugins.trackers.tensorboard:TensorBoard",
    )
    yield Tracker(
        name="accelerate",
        summary="MLflow, Weights & Biases and others, by the trackers of accelerate",
        target="fas_plugins.trackers.accelerate:AccelerateTracker",
        options=AccelerateOptions,
    )
