"""The focal loss: by hand, against its formula in float64, and at extremes."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from fas_core import Batch, Outputs
from fas_plugins.losses.cross_entropy import CrossEntropy
from fas_plugins.losses.focal import Focal
from fas_plugins.losses.options import CrossEntropyOptions, FocalOptions

Evaluate = Callable[..., torch.Tensor]


def test_worked_example(evaluate: Evaluate) -> None:
    # p(live) = 3/4 of logits (0, log 3). A live sample: (1/4)^2 x -log(3/4); an attack: (3/4)^2 x -log(1/4).
    logits = torch.tensor([[0.0, math.log(3)], [0.0, math.log(3)]])
    by_hand = (1 / 16 * 0.2876820724517809 + 9 / 16 * 1.3862943611198906) / 2
    assert evaluate(Focal(FocalOptions(gamma=2)), logits, [1, 0]).item() == pytest.approx(by_hand, rel=1e-6)


def test_worked_example_with_alpha(evaluate: Evaluate) -> None:
    logits = torch.tensor([[0.0, math.log(3)], [0.0, math.log(3)]])
    by_hand = (0.5 * 1 / 16 * 0.2876820724517809 + 0.25 * 9 / 16 * 1.3862943611198906) / 2
    loss = Focal(FocalOptions(gamma=2, alpha=(0.25, 0.5)))
    assert evaluate(loss, logits, [1, 0]).item() == pytest.approx(by_hand, rel=1e-6)


@pytest.mark.parametrize("classes", [2, 1024])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 3.0])
def test_it_equals_the_published_formula(evaluate: Evaluate, classes: int, gamma: float) -> None:
    logits = 3 * torch.randn(64, classes, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    labels = [sample % 2 for sample in range(64)]
    p = F.softmax(logits, dim=1)[torch.arange(64), torch.tensor(labels)]
    expected = (-((1 - p) ** gamma) * p.log()).mean()
    torch.testing.assert_close(evaluate(Focal(FocalOptions(gamma=gamma)), logits, labels), expected)


def test_gamma_zero_is_cross_entropy_weights_included(evaluate: Evaluate) -> None:
    logits, labels = torch.randn(8, 5), [0, 1, 1, 0, 1, 0, 0, 1]
    focal = Focal(FocalOptions(gamma=0, alpha=(0.3, 2.0)))
    plain = CrossEntropy(CrossEntropyOptions(weight=(0.3, 2.0)))
    torch.testing.assert_close(evaluate(focal, logits, labels), evaluate(plain, logits, labels))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("extreme", [1e4, -1e4, 200.0, -200.0, 0.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_extreme_logits_keep_loss_and_gradient_finite(
    evaluate: Evaluate, gamma: float, extreme: float, dtype: torch.dtype
) -> None:
    logits = torch.tensor([[0.0, extreme, 0.0]], dtype=dtype, requires_grad=True)
    loss = evaluate(Focal(FocalOptions(gamma=gamma)), logits, [1])
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    if extreme < 0:  # wrong, and by far: the loss is the distance, and it still pulls
        assert loss.item() == pytest.approx(-extreme + math.log(2), rel=1e-2)
        assert logits.grad[0, 1].item() == pytest.approx(-1, rel=1e-3)


def test_gradient_is_the_derivative() -> None:
    loss, label = Focal(FocalOptions(gamma=2, alpha=(0.25, 0.75))), torch.tensor([0, 1, 1])

    def of(logits: torch.Tensor) -> torch.Tensor:
        return loss(Outputs(logits[:, 1], logits), Batch({}, label, label))

    logits = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(of, logits)
