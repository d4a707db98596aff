"""The cosine classifier, and the fusions that can end in it."""

from __future__ import annotations

import pytest
import torch

from fas_core import Fusion
from fas_core.contracts import BranchSize
from fas_core.testing import find_component
from fas_plugins.fusions.classifier import CosineClassifier


def test_worked_example() -> None:
    cosine = CosineClassifier(2, 2, scale=10)
    cosine.weight.data = torch.tensor([[5.0, 0], [0, 0.1]])
    # Of (3, 4) / 5 the cosines with the two axes are 0.6 and 0.8; lengths do not matter.
    torch.testing.assert_close(cosine(torch.tensor([[3.0, 4], [300, 400]])), torch.tensor([[6.0, 8], [6, 8]]))


@pytest.mark.parametrize("name", ["concat_linear", "pipenet", "cdcn", "se_fusion"])
def test_fusions_that_classify_can_end_in_cosines(name: str) -> None:
    descriptor = find_component(Fusion, name)
    options = descriptor.options(classifier="cosine", scale=7.0)
    fusion = descriptor.load()(options, branches=(BranchSize("rgb", (8, 4, 4), 16),)).eval()
    shape = (2, 16) if name == "concat_linear" else (2, 8, 4, 4)
    logits = fusion({"rgb": torch.randn(shape)})
    assert logits.shape == (2, 2)
    assert logits.abs().max() <= 7
