"""A rate that stays."""

from __future__ import annotations

from fas_core import Hyperparameters, NoOptions
from fas_plugins.schedules.constant import build_constant

TRAIN = Hyperparameters(lr=0.1, momentum=0.9, weight_decay=0.0, epochs=10, decay=0.1, every_decay=60)


def test_it_keeps_the_rate() -> None:
    factor = build_constant(NoOptions(), updates_per_epoch=3, train=TRAIN)
    assert {factor(update) for update in range(30)} == {1.0}
