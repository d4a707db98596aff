"""Half a cosine, by epochs as formerly, or by updates."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from fas_core import Hyperparameters
from fas_plugins.schedules.cosine import build_cosine
from fas_plugins.schedules.options import CosineOptions

TRAIN = Hyperparameters(lr=0.1, momentum=0.9, weight_decay=0.0, epochs=10, decay=0.1, every_decay=60)


def test_by_epochs_it_is_the_formula_bit_for_bit() -> None:
    factor = build_cosine(CosineOptions(), updates_per_epoch=3, train=TRAIN)
    for update in range(30):
        expected = 0.1 * (1 + math.cos(math.pi * (update // 3) / 10)) / 2
        assert TRAIN.lr * factor(update) == expected


def test_by_updates_it_falls_with_each() -> None:
    factor = build_cosine(CosineOptions(every="update"), updates_per_epoch=3, train=TRAIN)
    factors = [factor(update) for update in range(30)]
    assert factors[0] == 1
    assert factors[15] == pytest.approx(0.5)
    assert factors[-1] == pytest.approx((1 + math.cos(math.pi * 29 / 30)) / 2)
    assert all(first > second for first, second in pairwise(factors))
