"""Outputs and batches of given logits and labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from fas_core import Batch, Outputs

Evaluate = Callable[[nn.Module, Tensor, Sequence[int]], Tensor]


@pytest.fixture
def evaluate() -> Evaluate:
    """`evaluate(loss, logits, labels)`: the loss of a batch whose model gave these logits."""

    def run(loss: nn.Module, logits: Tensor, labels: Sequence[int]) -> Tensor:
        label = torch.tensor(labels)
        outputs = Outputs(score=logits.softmax(dim=1)[:, 1], logits=logits)
        value = loss(outputs, Batch(images={}, label=label, index=torch.arange(len(label))))
        assert isinstance(value, Tensor)
        assert value.shape == ()
        return value

    return run
