"""What the event hooks of a run get: small frozen records of plain data, so that a plugin needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from attrs import field, frozen

Record = Mapping[str, Any]
"""An epoch's line of `metrics.jsonl`: `epoch`, `loss`, `seconds`, ..., and where dev was evaluated `dev`."""


@frozen
class RunStarted:
    """A run begins, or goes on after an interruption.

    Args:
        path: folder of the run.
        recipe: the resolved recipe, as in `recipe.yaml`.
        device: where the model is, e.g. `cpu` or `cuda:0`.
        parameters: number of the model's and the loss's parameters.
        trainable: number of those that are trained.
        epochs: number of epochs when the run is finished.
        history: records of the epochs that were finished before; empty for a new run.
    """

    path: Path
    recipe: Mapping[str, Any] = field(repr=False)
    device: str
    parameters: int
    trainable: int
    epochs: int
    history: tuple[Record, ...] = field(default=(), repr=False)


@frozen
class EpochFinished:
    """An epoch is finished: its weights are saved, its record is in `metrics.jsonl`.

    Args:
        path: folder of the run.
        epoch: the epoch, from 1.
        record: the epoch's record.
    """

    path: Path
    epoch: int
    record: Record

    @property
    def figures(self) -> dict[str, float]:
        """The finite numbers of the record by name, those of dev as `dev/eer`; rates are fractions."""
        return flatten_figures(self.record)


@frozen
class CheckpointWritten:
    """The training state was written: a run that is stopped from now on goes on from there.

    Args:
        path: folder of the run.
        file: the state.
        epoch: number of finished epochs.
        batch: number of finished batches of the epoch after these.
    """

    path: Path
    file: Path
    epoch: int
    batch: int


@frozen
class RunFinished:
    """A run was trained to its last epoch and evaluated; `results.json` is written.

    Args:
        path: folder of the run.
        results: for each evaluated split its part of `results.json`: `metrics`, `threshold`, ...
        train_hours: hours of training.
    """

    path: Path
    results: Mapping[str, Mapping[str, Any]] = field(repr=False)
    train_hours: float


@frozen
class RunFailed:
    """A run ended early. `fas train --resume` may continue it.

    Args:
        path: folder of the run.
        error: why, in one line.
        interrupted: whether a user or the system stopped it, so that it is no error.
    """

    path: Path
    error: str
    interrupted: bool


def flatten_figures(record: Record) -> dict[str, float]:
    """Return the finite numbers of a record, nested ones by their path.

    >>> flatten_figures({"epoch": 2, "loss": 0.5, "dev": {"eer": 0.1, "auc": None}, "best": True})
    {'loss': 0.5, 'dev/eer': 0.1}
    """
    return {
        name: float(value)
        for name, value in flatten_values(record).items()
        if name != "epoch"
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and isfinite(value)
    }


def flatten_values(tree: Record) -> dict[str, Any]:
    """Return all values of nested mappings by their path.

    >>> flatten_values({"seed": 14, "loss": {"name": "focal", "gamma": 3}})
    {'seed': 14, 'loss/name': 'focal', 'loss/gamma': 3}
    """
    values: dict[str, Any] = {}
    for key, value in tree.items():
        nested = isinstance(value, Mapping)
        values |= (
            {f"{key}/{path}": item for path, item in flatten_values(value).items()}
            if nested
            else {key: value}
        )
    return values
