"""Early fusion."""

from __future__ import annotations

import torch

from fas_core import NoOptions
from fas_core.contracts import BranchSize
from fas_plugins.fusions.input_concat import InputConcat


def test_channels_are_concatenated_in_the_order_of_the_branches() -> None:
    fusion = InputConcat(NoOptions(), branches=(BranchSize("rgb", (3, 8, 8)), BranchSize("ir", (3, 8, 8))))
    rgb, ir = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8)
    assert fusion.out_channels == 6
    assert torch.equal(fusion({"ir": ir, "rgb": rgb}), torch.cat([rgb, ir], dim=1))
