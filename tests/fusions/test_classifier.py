"""The cosine classifier, and which fusions can end in it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fas_core import NoOptions
from fas_core.contracts import BranchSize
from fas_core.descriptors import Fusion
from fas_core.registry import registry
from fas_plugins.fusions.classifier import CosineClassifier
from fas_plugins.fusions.input_concat import InputConcat
from fas_plugins.fusions.options import CDCNFusionOptions, ClassifierOptions, SEFusionOptions


def test_cosines_by_hand() -> None:
    cosine = CosineClassifier(2, 2, scale=10)
    cosine.weight.data = torch.tensor([[5.0, 0], [0, 0.1]])
    # Of (3, 4) / 5 the cosines with the two axes are 0.6 and 0.8; lengths do not matter.
    torch.testing.assert_close(cosine(torch.tensor([[3.0, 4], [300, 400]])), torch.tensor([[6.0, 8], [6, 8]]))


@pytest.mark.parametrize("name", ["concat_linear", "pipenet", "cdcn", "se_fusion"])
def test_fusions_that_classify_can_end_in_cosines(name: str) -> None:
    descriptor = registry().find(Fusion, name)
    options = descriptor.options(classifier="cosine", scale=7.0)
    fusion = descriptor.load()(options, branches=(BranchSize("rgb", (8, 4, 4), 16),)).eval()
    shape = (2, 16) if name == "concat_linear" else (2, 8, 4, 4)
    logits = fusion({"rgb": torch.randn(shape)})
    assert logits.shape == (2, 2)
    assert logits.abs().max() <= 7


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (ClassifierOptions, {"classifier": "softmax"}),
        (ClassifierOptions, {"scale": 0.0}),
        (CDCNFusionOptions, {"theta": 1.5}),
        (SEFusionOptions, {"reduction": 0}),
    ],
)
def test_options_out_of_range_are_refused(options: type, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        options(**wrong)


def test_inputs_are_stacked_for_one_backbone() -> None:
    fusion = InputConcat(NoOptions(), branches=(BranchSize("rgb", (3, 8, 8)), BranchSize("ir", (3, 8, 8))))
    rgb, ir = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8)
    assert fusion.out_channels == 6
    assert torch.equal(fusion({"ir": ir, "rgb": rgb}), torch.cat([rgb, ir], dim=1))
