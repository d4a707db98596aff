"""One cycle (arXiv 1708.07120): half a cosine up, half a cosine down, as torch's `OneCycleLR` in two phases.

It changes the learning rate alone; the optimizer's momentum stays.
"""

from __future__ import annotations

import math

from fas_core import Hyperparameters
from fas_core.contracts import ScheduleFunction
from fas_plugins.schedules.options import OneCycleOptions


def build_one_cycle(
    options: OneCycleOptions, updates_per_epoch: int, train: Hyperparameters
) -> ScheduleFunction:
    """Return the factor of each update: from `start` to 1 in the share `rise` of the updates, then to `end`.

    With n updates in all, the factor is 1 at update `rise` x n - 1 and `end` at the last, n - 1.
    """
    count = train.epochs * updates_per_epoch
    peak, last = options.rise * count - 1, count - 1

    def compute_factor(update: int) -> float:
        if update < peak:
            return _ease(options.start, 1.0, update / peak)
        return _ease(1.0, options.end, (update - peak) / (last - peak))

    return compute_factor


def _ease(first: float, second: float, share: float) -> float:
    """Return the value on half a cosine between two values; `share`, in [0, 1], says where."""
    return second + (first - second) * (1 + math.cos(math.pi * share)) / 2
