"""AdamW by the formula of its paper (arXiv 1711.05101, algorithm 2)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fas_core import Hyperparameters
from fas_plugins.optimizers.adamw import build_adamw
from fas_plugins.optimizers.options import AdamWOptions

TRAIN = Hyperparameters(lr=0.1, momentum=0.5, weight_decay=0.2, epochs=1, decay=1.0, every_decay=1)


def test_two_updates_by_the_formula() -> None:
    parameter = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    options = AdamWOptions(betas=(0.5, 0.75), eps=0.01)
    optimizer = build_adamw(options, [{"params": [parameter]}], TRAIN)
    weight, mean, square = 2.0, 0.0, 0.0
    for number, gradient in enumerate((1.0, -3.0), 1):
        parameter.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        mean, square = 0.5 * mean + 0.5 * gradient, 0.75 * square + 0.25 * gradient**2
        root = (square / (1 - 0.75**number)) ** 0.5
        weight -= 0.1 * (0.2 * weight + mean / (1 - 0.5**number) / (root + 0.01))
        assert parameter.item() == pytest.approx(weight, rel=1e-12)


def test_the_defaults_are_those_of_the_paper() -> None:
    optimizer = build_adamw(AdamWOptions(), [{"params": [nn.Parameter(torch.ones(1))]}], TRAIN)
    (group,) = optimizer.param_groups
    assert (group["betas"], group["eps"], group["weight_decay"]) == ((0.9, 0.999), 1e-8, 0.2)
