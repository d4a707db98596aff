"""The contract check, and the loss against the paper's formula, term by term."""

from __future__ import annotations

from math import exp, log

import pytest
import torch
from attrs import evolve
from torch import Tensor

from fas_core import Batch, Outputs
from fas_core.testing import check_loss, tiny_model
from fas_supcon.loss import SupCon, supervised_contrast
from fas_supcon.options import SupConOptions

TEMPERATURE = 0.5


def embeddings(count: int) -> Tensor:
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(14))


def formula(embedding: Tensor, label: list[int]) -> float:
    """Return equation 2 of the paper, one term after the other."""
    z = [(row / row.norm()).tolist() for row in embedding]
    similarity = [[sum(a * b for a, b in zip(x, y, strict=True)) / TEMPERATURE for y in z] for x in z]
    losses = []
    for i, own in enumerate(label):
        others = [a for a in range(len(label)) if a != i]
        positives = [p for p in others if label[p] == own]
        total = sum(exp(similarity[i][a]) for a in others)
        if positives:
            losses.append(-sum(log(exp(similarity[i][p]) / total) for p in positives) / len(positives))
    return sum(losses) / len(losses)


def test_contract() -> None:
    check_loss("supcon")


@pytest.mark.parametrize("label", [[1, 0, 1, 0, 0, 1], [1, 0, 0, 0, 0, 0], [1, 1, 1]])
def test_contrast_is_the_paper_s_formula(label: list[int]) -> None:
    embedding = embeddings(len(label))
    loss = supervised_contrast(embedding, torch.tensor(label), TEMPERATURE)
    assert loss.item() == pytest.approx(formula(embedding, label), rel=1e-5)


@pytest.mark.parametrize("label", [[1], [1, 0]])
def test_without_a_pair_of_one_class_the_contrast_is_0_with_a_finite_gradient(label: list[int]) -> None:
    embedding = embeddings(len(label)).requires_grad_()
    loss = supervised_contrast(embedding, torch.tensor(label), TEMPERATURE)
    loss.backward()
    assert loss.item() == 0
    assert embedding.grad is not None
    assert embedding.grad.isfinite().all()


def test_the_classifier_is_trained_by_cross_entropy() -> None:
    logits, label = torch.tensor([[0.2, 1.3], [2.0, -1.0]]), torch.tensor([1, 0])
    outputs = Outputs(score=logits.softmax(dim=1)[:, 1], logits=logits, embedding=embeddings(2))
    loss = SupCon(SupConOptions(), model=tiny_model())(outputs, Batch({}, label, label))
    nll = -logits.log_softmax(dim=1)[[0, 1], label].mean()
    torch.testing.assert_close(loss, nll)  # a sample of each class: no pair to draw together


@pytest.mark.parametrize("option", ["weight", "temperature"])
def test_options_are_positive(option: str) -> None:
    with pytest.raises(ValueError, match=option):
        evolve(SupConOptions(), **{option: 0.0})
