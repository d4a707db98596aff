"""Cross entropy: by hand, against PyTorch's, and with classes that never occur."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from fas_plugins.losses.cross_entropy import CrossEntropy
from fas_plugins.losses.options import CrossEntropyOptions

Evaluate = Callable[..., torch.Tensor]
LABELS = [1, 0, 0, 1, 1, 0]


def test_worked_example(evaluate: Evaluate) -> None:
    # p = (1/4, 3/4); live, smoothing 0.2: 0.9 x -log(3/4) + 0.1 x -log(1/4), weights 1 and 2 on each part.
    logits = torch.tensor([[0.0, math.log(3)]])
    by_hand = 2 * 0.9 * 0.2876820724517809 + 1 * 0.1 * 1.3862943611198906
    loss = CrossEntropy(CrossEntropyOptions(weight=(1, 2), smoothing=0.2))
    assert evaluate(loss, logits, [1]).item() == pytest.approx(by_hand, rel=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("weight", [None, (0.25, 3.0)])
def test_two_classes_equal_pytorch_averaged_over_the_batch(
    evaluate: Evaluate, weight: tuple[float, float] | None, smoothing: float
) -> None:
    logits = torch.randn(6, 2)
    each = F.cross_entropy(
        logits,
        torch.tensor(LABELS),
        weight=None if weight is None else torch.tensor(weight),
        label_smoothing=smoothing,
        reduction="none",
    )
    loss = CrossEntropy(CrossEntropyOptions(weight=weight, smoothing=smoothing))
    torch.testing.assert_close(evaluate(loss, logits, LABELS), each.mean())


def test_many_classes_equal_pytorch_where_nothing_is_smoothed(evaluate: Evaluate) -> None:
    logits = torch.randn(6, 1024)
    expected = F.cross_entropy(logits, torch.tensor(LABELS))
    torch.testing.assert_close(evaluate(CrossEntropy(CrossEntropyOptions()), logits, LABELS), expected)


def test_classes_that_never_occur_get_no_mass(evaluate: Evaluate) -> None:
    # At the optimum p equals the target, and the gradient of logit c is p_c - q_c: it vanishes at q alone.
    target = torch.tensor([[0.1, 0.9] + [1e-12] * 6])
    logits = target.log().requires_grad_()
    evaluate(CrossEntropy(CrossEntropyOptions(smoothing=0.2)), logits, [1]).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.zeros_like(logits), atol=1e-6, rtol=0)


@pytest.mark.parametrize("extreme", [1e4, -1e4])
def test_extreme_logits_keep_loss_and_gradient_finite(evaluate: Evaluate, extreme: float) -> None:
    logits = torch.tensor([[0.0, extreme, 0.0]], requires_grad=True)
    loss = evaluate(CrossEntropy(CrossEntropyOptions(smoothing=0.1)), logits, [1])
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
