"""Whether all parameters are finite numbers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fas_core.training.divergence import are_finite


def test_modules_without_parameters_are_finite() -> None:
    assert are_finite(nn.ReLU())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_one_value_of_any_module_counts(value: float) -> None:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    assert are_finite(first, second)
    with torch.no_grad():
        second.bias[1] = value
    assert are_finite(first)
    assert not are_finite(first, second)
