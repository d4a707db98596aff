"""One cycle against the scheduler of torch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fas_core import Hyperparameters
from fas_plugins.schedules.one_cycle import build_one_cycle
from fas_plugins.schedules.options import OneCycleOptions

TRAIN = Hyperparameters(lr=0.1, momentum=0.9, weight_decay=0.0, epochs=4, decay=0.1, every_decay=60)


@pytest.mark.parametrize(("rise", "start", "end"), [(0.3, 0.04, 4e-6), (0.5, 0.5, 0.25), (0.75, 0.1, 0.01)])
def test_the_factors_are_those_of_torch(rise: float, start: float, end: float) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=1.0,
        total_steps=20,
        pct_start=rise,
        div_factor=1 / start,
        final_div_factor=start / end,
        cycle_momentum=False,
    )
    factor = build_one_cycle(OneCycleOptions(rise, start, end), updates_per_epoch=5, train=TRAIN)
    for update in range(20):
        assert factor(update) == pytest.approx(reference.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        if update < 19:
            reference.step()


@pytest.mark.parametrize("updates", [1, 2, 3])
def test_the_shortest_trainings_end_at_the_end(updates: int) -> None:
    train = Hyperparameters(lr=0.1, momentum=0.9, weight_decay=0.0, epochs=1, decay=0.1, every_decay=60)
    factor = build_one_cycle(OneCycleOptions(end=0.5), updates_per_epoch=updates, train=train)
    assert factor(updates - 1) == 0.5
    assert all(0 < factor(update) <= 1 for update in range(updates))
