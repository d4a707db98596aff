"""Contract checks, and a comparison of each component with its formula."""

from __future__ import annotations

import pytest
import torch

from fas_core import Batch, Outputs, ScoreTable
from fas_core.testing import check_loss, check_metric, tiny_model
from fas_example.brier import brier
from fas_example.options import Poly1Options
from fas_example.poly1 import Poly1


def test_contracts() -> None:
    check_loss("poly1")
    check_metric("brier")


@pytest.mark.parametrize("epsilon", [-1.0, 0.0, 2.5])
def test_poly1_is_its_formula(epsilon: float) -> None:
    logits, label = torch.tensor([[0.2, 1.3], [2.0, -1.0]]), torch.tensor([1, 1])
    p = logits.softmax(dim=1)[:, 1]
    outputs = Outputs(score=p, logits=logits)
    loss = Poly1(Poly1Options(epsilon), model=tiny_model())(outputs, Batch({}, label, label))
    torch.testing.assert_close(loss, (-p.log() + epsilon * (1 - p)).mean())


def test_brier_is_the_mean_square() -> None:
    scores = ScoreTable.of({"id": ["a", "b", "c"], "score": [0.9, 0.4, 0.3], "label": [1, 0, None]})
    assert brier(None, scores, None) == {"brier": pytest.approx((0.1**2 + 0.4**2) / 2)}
