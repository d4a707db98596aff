"""Falls in steps: lr x decay^floor(epoch / every_decay), as the published FeatherNets were trained."""

from __future__ import annotations

from fas_core import Hyperparameters, NoOptions
from fas_core.contracts import ScheduleFunction


def build_step(options: NoOptions, updates_per_epoch: int, train: Hyperparameters) -> ScheduleFunction:
    """Return the factor of each update: `train.decay` to the number of decays so far."""

    def compute_factor(update: int) -> float:
        return float(train.decay ** (update // updates_per_epoch // train.every_decay))

    return compute_factor
