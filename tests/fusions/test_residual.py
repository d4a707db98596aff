"""Residual stages."""

from __future__ import annotations

import torch

from fas_plugins.fusions.residual import BasicBlock, build_residual_stages


def test_a_block_whose_last_batch_norm_is_zero_is_its_rectified_shortcut() -> None:
    x = torch.randn(2, 4, 6, 6)
    plain, strided = BasicBlock(4, 4), BasicBlock(4, 5, stride=2)
    for block in (plain, strided):
        block.bn2.weight.data.zero_()
    torch.testing.assert_close(plain(x), x.relu())
    torch.testing.assert_close(strided(x), strided.shortcut(x).relu())


def test_each_stage_has_two_blocks_and_halves_the_map() -> None:
    stages = build_residual_stages(3, (4, 8)).eval()
    assert len(stages) == 4
    assert stages(torch.randn(2, 3, 7, 7)).shape == (2, 8, 2, 2)
