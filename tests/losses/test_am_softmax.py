"""Additive margin softmax: by hand, against its formula, and end to end with the classifier it needs."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from fas_core import Batch, ConfigError, Outputs
from fas_core.contracts import BranchSize
from fas_plugins.fusions.classifier import CosineClassifier
from fas_plugins.fusions.concat_linear import ConcatLinear
from fas_plugins.fusions.options import ClassifierOptions
from fas_plugins.losses.am_softmax import AMSoftmax
from fas_plugins.losses.options import AMSoftmaxOptions

Evaluate = Callable[..., torch.Tensor]


def test_worked_example(evaluate: Evaluate) -> None:
    # Cosines 0.6 and 0.8, s = 10, m = 0.2. Live: 10 x 0.6 against 10 x (0.8 - 0.2), which is even: log 2.
    # Attack: 10 x (0.6 - 0.2) against 10 x 0.8: log(1 + e^4).
    loss = AMSoftmax(AMSoftmaxOptions(margin=0.2), model=CosineClassifier(4, 2, scale=10))
    logits = torch.tensor([[6.0, 8.0], [6.0, 8.0]])
    assert evaluate(loss, logits[:1], [1]).item() == pytest.approx(math.log(2), rel=1e-6)
    assert evaluate(loss, logits[:1], [0]).item() == pytest.approx(math.log(1 + math.exp(4)), rel=1e-6)


def test_it_equals_the_published_formula(evaluate: Evaluate) -> None:
    classifier = CosineClassifier(6, 2, scale=30)
    x, labels = torch.randn(5, 6), [0, 1, 1, 0, 1]
    cosines = torch.stack(
        [torch.cosine_similarity(x, classifier.weight[k : k + 1]) for k in range(2)], dim=1
    ).double()
    true = cosines[range(5), labels]
    other = cosines[range(5), [1 - label for label in labels]]
    numerator = (30 * (true - 0.35)).exp()
    expected = -(numerator / (numerator + (30 * other).exp())).log().mean()
    got = evaluate(AMSoftmax(AMSoftmaxOptions(), model=classifier), classifier(x), labels)
    torch.testing.assert_close(got.double(), expected, rtol=1e-4, atol=1e-4)


def test_training_with_it_separates_the_scores() -> None:
    torch.manual_seed(0)
    fusion = ConcatLinear(ClassifierOptions(classifier="cosine"), (BranchSize("rgb", (8, 1, 1), 8),))
    loss = AMSoftmax(AMSoftmaxOptions(), model=fusion)
    optimizer = torch.optim.SGD(fusion.parameters(), lr=0.1)
    x = torch.cat([torch.randn(20, 8) + 1, torch.randn(20, 8) - 1])
    labels = [1] * 20 + [0] * 20
    for _ in range(20):
        logits = fusion({"rgb": x})
        label = torch.tensor(labels)
        optimizer.zero_grad()
        loss(Outputs(logits[:, 1], logits), Batch({}, label, label)).backward()
        optimizer.step()
    scores = fusion({"rgb": x}).softmax(dim=1)[:, 1]
    assert scores[:20].min() > scores[20:].max()


def test_a_model_without_cosines_is_refused() -> None:
    with pytest.raises(ConfigError, match="classifier=cosine"):
        AMSoftmax(AMSoftmaxOptions(), model=nn.Linear(4, 2))
