"""Optimisers and learning rates."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fas_core.config.recipe import TrainConfig
from fas_core.training.optim import build_optimizer, learning_rate


def test_the_published_schedule_decays_by_ten_every_60_epochs() -> None:
    config = TrainConfig(lr=0.01, every_decay=60, epochs=150)
    rates = [learning_rate(config, epoch) for epoch in (0, 59, 60, 120)]
    assert rates == pytest.approx([0.01, 0.01, 0.001, 0.0001])


def test_cosine_falls_from_the_rate_to_zero() -> None:
    config = TrainConfig(lr=0.01, schedule="cosine", epochs=10)
    assert [learning_rate(config, epoch) for epoch in (0, 5, 10)] == pytest.approx([0.01, 0.005, 0])


def test_constant_keeps_the_rate() -> None:
    assert learning_rate(TrainConfig(lr=0.3, schedule="constant"), 99) == 0.3


def test_sgd_has_momentum_and_weight_decay() -> None:
    config = TrainConfig(lr=0.1, momentum=0.8, weight_decay=0.02)
    optimizer = build_optimizer(config, nn.Linear(2, 2).parameters())
    assert isinstance(optimizer, torch.optim.SGD)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.1, 0.8, 0.02)


def test_adamw_has_weight_decay() -> None:
    config = TrainConfig(optimizer="adamw", lr=0.1, weight_decay=0.02)
    optimizer = build_optimizer(config, nn.Linear(2, 2).parameters())
    assert isinstance(optimizer, torch.optim.AdamW)
    assert optimizer.param_groups[0]["weight_decay"] == 0.02
