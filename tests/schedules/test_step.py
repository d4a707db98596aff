"""The published schedule: to a tenth every so many epochs."""

from __future__ import annotations

import pytest

from fas_core import Hyperparameters, NoOptions
from fas_plugins.schedules.step import build_step

TRAIN = Hyperparameters(lr=0.1, momentum=0.9, weight_decay=0.0, epochs=150, decay=0.1, every_decay=60)


def test_the_published_schedule_decays_by_ten_every_60_epochs() -> None:
    factor = build_step(NoOptions(), updates_per_epoch=7, train=TRAIN)
    epochs = [factor(7 * epoch) for epoch in (0, 59, 60, 120, 149)]
    assert epochs == pytest.approx([1, 1, 0.1, 0.01, 0.01])


def test_the_rate_stays_within_an_epoch() -> None:
    factor = build_step(NoOptions(), updates_per_epoch=7, train=TRAIN)
    assert [factor(7 * 60 + batch) for batch in (-1, 0, 6)] == [1.0, 0.1, 0.1]
