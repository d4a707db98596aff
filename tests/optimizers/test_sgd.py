"""SGD by its formula, and Nesterov's form."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fas_core import ConfigError, Hyperparameters
from fas_plugins.optimizers.options import SGDOptions
from fas_plugins.optimizers.sgd import build_sgd

TRAIN = Hyperparameters(lr=0.1, momentum=0.5, weight_decay=0.2, epochs=1, decay=1.0, every_decay=1)


@pytest.mark.parametrize("nesterov", [False, True])
def test_two_updates_by_the_formula(nesterov: bool) -> None:
    """v = momentum x v + (gradient + decay x w); w falls by lr x v, or by lr x (gradient + momentum x v)."""
    parameter = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = build_sgd(SGDOptions(nesterov=nesterov), [{"params": [parameter]}], TRAIN)
    weight, velocity = 2.0, 0.0
    for gradient in (1.0, -3.0):
        parameter.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        slope = gradient + 0.2 * weight
        velocity = 0.5 * velocity + slope
        weight -= 0.1 * (slope + 0.5 * velocity if nesterov else velocity)
        assert parameter.item() == pytest.approx(weight, rel=1e-12)


def test_nesterov_without_momentum_is_refused() -> None:
    train = Hyperparameters(lr=0.1, momentum=0.0, weight_decay=0.0, epochs=1, decay=1.0, every_decay=1)
    with pytest.raises(ConfigError, match=r"^train\.optimizer\.nesterov: needs a train\.momentum above 0$"):
        build_sgd(SGDOptions(nesterov=True), [{"params": [nn.Parameter(torch.ones(1))]}], train)
