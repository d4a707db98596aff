"""The learning rate as a power of the remaining share of the training, as in DeepLab (arXiv 1606.00915)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fas_training.options import PolynomialOptions

if TYPE_CHECKING:
    from fas_core.contracts import Hyperparameters, ScheduleFunction


def build_polynomial(
    options: PolynomialOptions, updates_per_epoch: int, train: Hyperparameters
) -> ScheduleFunction:
    """Return the factor of the learning rate for an update, (1 - update / updates) ** power."""
    updates = train.epochs * updates_per_epoch
    return lambda update: (1 - update / updates) ** options.power
