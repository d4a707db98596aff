"""A linear rise of the learning rate in the first updates: arXiv 1706.02677, section 2.2.

Large batches and Adam's first estimates make the first updates too long at the full rate.
"""

from __future__ import annotations

from fas_core import Hyperparameters, Schedule
from fas_core.contracts import ScheduleFunction
from fas_core.registry import registry
from fas_plugins.schedules.options import WarmupOptions


def build_warmup(options: WarmupOptions, updates_per_epoch: int, train: Hyperparameters) -> ScheduleFunction:
    """Return the factor of each update: that of the other schedule, and in the first n updates less.

    Update u of them, from 0, has the share `start` + (1 - `start`) x (u + 1) / n of it.
    """
    choice = options.schedule
    schedule: ScheduleFunction = (
        registry()
        .find(Schedule, choice.name)
        .call(choice.options, updates_per_epoch=updates_per_epoch, train=train)
    )
    length = options.updates or max(round(options.epochs * updates_per_epoch), 1)

    def compute_factor(update: int) -> float:
        share = min((update + 1) / length, 1.0)
        return (options.start + (1 - options.start) * share) * schedule(update)

    return compute_factor
