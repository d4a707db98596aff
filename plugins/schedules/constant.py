"""Keeps the learning rate."""

from __future__ import annotations

from fas_core import Hyperparameters, NoOptions
from fas_core.contracts import ScheduleFunction


def build_constant(options: NoOptions, updates_per_epoch: int, train: Hyperparameters) -> ScheduleFunction:
    """Return the factor of each update: 1."""
    return lambda update: 1.0
