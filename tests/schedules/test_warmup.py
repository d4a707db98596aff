"""A linear rise to another schedule."""

from __future__ import annotations

import pytest

from fas_core import Hyperparameters
from fas_core.testing import read_options
from fas_plugins.schedules.options import WarmupOptions
from fas_plugins.schedules.warmup import build_warmup

TRAIN = Hyperparameters(lr=0.1, momentum=0.9, weight_decay=0.0, epochs=4, decay=0.5, every_decay=2)


def factors(options: WarmupOptions) -> list[float]:
    factor = build_warmup(options, updates_per_epoch=4, train=TRAIN)
    return [factor(update) for update in range(16)]


def test_the_rate_rises_in_equal_steps_and_stays() -> None:
    assert factors(WarmupOptions()) == [0.25, 0.5, 0.75, *[1.0] * 13]
    assert factors(WarmupOptions(updates=2)) == [0.5, *[1.0] * 15]
    assert factors(WarmupOptions(epochs=0.5)) == [0.5, *[1.0] * 15]
    assert factors(WarmupOptions(epochs=0.01)) == [1.0] * 16
    assert factors(WarmupOptions(start=0.5)) == [0.625, 0.75, 0.875, *[1.0] * 13]


def test_the_other_schedule_keeps_its_epochs() -> None:
    step = factors(read_options(WarmupOptions, {"schedule": "step", "updates": 2}))
    assert step == [0.5, *[1.0] * 7, *[0.5] * 8]
    cosine = factors(read_options(WarmupOptions, {"schedule": "cosine", "epochs": 2}))
    assert cosine[8:] == pytest.approx([0.5] * 4 + [(1 - 2**-0.5) / 2] * 4)


def test_it_wraps_schedules_with_options_and_itself() -> None:
    cycle = {"name": "one_cycle", "rise": 0.5, "start": 1.0, "end": 1.0}
    inner = {"name": "warmup", "schedule": cycle, "updates": 2}
    outer = read_options(WarmupOptions, {"schedule": inner, "updates": 4})
    assert factors(outer) == pytest.approx([0.125, 0.5, 0.75, *[1.0] * 13])
