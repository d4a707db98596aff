"""Feature-level fusion."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from fas_core.contracts import BranchSize
from fas_plugins.fusions.concat_linear import ConcatLinear
from fas_plugins.fusions.options import ClassifierOptions


def branch(modality: str, embedding: int) -> BranchSize:
    return BranchSize(modality, (64, 7, 7), embedding)


def test_it_is_one_linear_layer_over_the_concatenation() -> None:
    fusion = ConcatLinear(ClassifierOptions(), branches=(branch("rgb", 3), branch("ir", 2)), num_classes=2)
    with torch.no_grad():
        fusion.classifier.weight.copy_(torch.tensor([[1.0, 2, 3, 4, 5], [0, 0, 1, 0, -1]]))
        fusion.classifier.bias.copy_(torch.tensor([10.0, 20]))
    logits = fusion({"ir": torch.tensor([[1.0, 1]]), "rgb": torch.tensor([[1.0, 0, 1]])})
    # rgb first, as built: 1 + 3 + 4 + 5 + 10 and 1 - 1 + 20
    assert logits.tolist() == [[23.0, 20.0]]
    assert fusion.num_logits == 2


def test_parameters_and_cost_are_the_published_ones(
    build_branches: Callable[[str], nn.Module], count_flops: Callable[[nn.Module], int]
) -> None:
    network = build_branches("concat_linear")
    assert sum(parameter.numel() for parameter in network.parameters()) == 1_059_806
    assert count_flops(network) / 1e6 == pytest.approx(249.2, abs=0.05)
