"""Pre-activation bottleneck blocks."""

from __future__ import annotations

import torch

from fas_plugins.backbones.preactivation import Block, Fold, build_blocks


def test_a_fold_sums_neighbouring_channels() -> None:
    x = torch.arange(6.0).view(1, 6, 1, 1)
    assert Fold(2)(x).flatten().tolist() == [0 + 1, 2 + 3, 4 + 5]


def test_a_block_whose_last_convolution_is_zero_is_its_shortcut() -> None:
    x = torch.randn(2, 8, 5, 5)
    for block, shortcut in ((Block(8, 8), x), (Block(8, 4, dilation=2, folds=True), Fold(2)(x))):
        block.conv3.weight.data.zero_()
        torch.testing.assert_close(block(x), shortcut)


def test_the_first_block_changes_the_number_of_channels() -> None:
    blocks = build_blocks(8, 4, count=3)
    assert [block.conv1.in_channels for block in blocks] == [8, 4, 4]
    assert blocks(torch.randn(2, 8, 5, 5)).shape == (2, 4, 5, 5)
