"""Half a cosine from 1 to 0: SGDR (arXiv 1608.03983), equation 5, with one cycle."""

from __future__ import annotations

import math

from fas_core import Hyperparameters
from fas_core.contracts import ScheduleFunction
from fas_plugins.schedules.options import CosineOptions


def build_cosine(options: CosineOptions, updates_per_epoch: int, train: Hyperparameters) -> ScheduleFunction:
    """Return the factor of each update: (1 + cos(pi x t)) / 2, t the share of the training that is done.

    It counts whole epochs, or updates.
    """
    length = updates_per_epoch if options.every == "epoch" else 1
    count = train.epochs * updates_per_epoch // length

    def compute_factor(update: int) -> float:
        return (1 + math.cos(math.pi * (update // length) / count)) / 2

    return compute_factor
