"""Soft targets against PyTorch's divergence of two softmaxes."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from fas_core.models.soft_targets import compute_log_odds, soft_target_loss


@pytest.mark.parametrize("temperature", [1.0, 4.0, 20.0])
def test_two_classes_are_hintons_divergence_and_its_gradients(temperature: float) -> None:
    torch.manual_seed(1)
    student, teacher = 3 * torch.randn(8, 2, requires_grad=True), 3 * torch.randn(8, 2)
    expected = temperature**2 * F.kl_div(
        (student / temperature).log_softmax(1), (teacher / temperature).softmax(1), reduction="batchmean"
    )
    actual = soft_target_loss(student, teacher, temperature)
    torch.testing.assert_close(actual, expected)
    gradients = [torch.autograd.grad(loss, student, retain_graph=True)[0] for loss in (actual, expected)]
    torch.testing.assert_close(*gradients)


def test_networks_that_agree_have_nothing_to_learn() -> None:
    logits = torch.tensor([[30.0, -30.0], [0.0, 0.1], [-200.0, 200.0]], requires_grad=True)
    loss = soft_target_loss(logits, logits.detach() + 5, 4.0)
    assert loss.item() == pytest.approx(0, abs=1e-6)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert gradient.abs().max() < 1e-6


def test_of_more_classes_live_is_told_from_all_others() -> None:
    """As the score does, also where the two networks have different numbers of classes."""
    torch.manual_seed(2)
    many = torch.randn(5, 7)
    score = many.softmax(1)[:, 1]
    torch.testing.assert_close(torch.sigmoid(compute_log_odds(many)), score)
    two = torch.stack([torch.zeros(5), torch.logit(score)], dim=1)
    assert soft_target_loss(many, two, 3.0).item() == pytest.approx(0, abs=1e-5)
