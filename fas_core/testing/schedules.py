"""The contract check of schedules: see `fas_core.testing.checks`. It needs no torch."""

from __future__ import annotations

from math import inf
from typing import Any

from fas_core.config.train import TrainConfig
from fas_core.contracts import ScheduleFunction
from fas_core.descriptors import Schedule
from fas_core.testing.rules import rule
from fas_core.testing.support import explain, load_component

TRAININGS = ((1, 1), (3, 4), (200, 30))
"""Epochs, and updates of each: the shortest training, a short one, and one as long as those published."""


@rule("call")
def check_schedule(component: str | Schedule, options: Any = None) -> None:
    """Check that every update of a training has a factor that depends on the update alone."""
    descriptor, target, options = load_component(Schedule, component, options)
    name = descriptor.name
    for epochs, updates in TRAININGS:
        train = TrainConfig(epochs=epochs).hyperparameters
        with explain(name, f"target(options, updates_per_epoch={updates}, train=train)"):
            first, second = (
                target(options, updates_per_epoch=updates, train=train) for _ in ("first", "second")
            )
        assert callable(first), f"{name}: target gave {first!r}, which is not callable"
        text = f"of {epochs} epochs of {updates} updates"
        factors = [_compute_factor(name, first, update, text) for update in range(epochs * updates)]
        with rule("factor"):
            assert any(factors), f"{name}: every factor {text} is 0"
        _check_order(name, second, factors, text)


@rule("factor")
def _compute_factor(name: str, schedule: ScheduleFunction, update: int, text: str) -> float:
    with explain(name, f"update {update} {text}: it"):
        factor = schedule(update)
    valid = isinstance(factor, int | float) and 0 <= factor < inf
    assert valid, f"{name}: gave {factor!r} for update {update} {text}: must be a number >= 0"
    return factor


@rule("update alone")
def _check_order(name: str, schedule: ScheduleFunction, factors: list[float], text: str) -> None:
    """Check that a schedule that was built anew gives the same factors from the last update to the first."""
    for update in reversed(range(len(factors))):
        again = schedule(update)
        same = again == factors[update]
        assert same, f"{name}: update {update} {text}: {again!r}, and in order {factors[update]!r}"
