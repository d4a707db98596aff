"""Access to the logits: losses over logits refuse a model without them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fas_core import Batch, ConfigError, Outputs
from fas_plugins.losses.classification import require_logits
from fas_plugins.losses.cross_entropy import CrossEntropy
from fas_plugins.losses.focal import Focal
from fas_plugins.losses.options import CrossEntropyOptions, FocalOptions


@pytest.mark.parametrize(
    ("name", "loss"),
    [("focal", Focal(FocalOptions())), ("cross_entropy", CrossEntropy(CrossEntropyOptions()))],
)
@pytest.mark.parametrize("logits", [None, torch.zeros(1, 1)])
def test_a_model_without_logits_is_refused(name: str, loss: nn.Module, logits: torch.Tensor | None) -> None:
    label = torch.tensor([1])
    with pytest.raises(ConfigError, match=rf"'{name}' needs logits.*choose map_mse"):
        loss(Outputs(torch.zeros(1), logits), Batch({}, label, label))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_half_precision_becomes_float32(given: torch.dtype, expected: torch.dtype) -> None:
    assert require_logits(Outputs(torch.zeros(1), torch.zeros(1, 2, dtype=given)), "test").dtype == expected
