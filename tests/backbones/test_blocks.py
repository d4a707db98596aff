"""Building blocks of the light networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fas_plugins.backbones.blocks import InvertedResidual, SqueezeExcite, build_conv_bn


@pytest.mark.parametrize(("kernel", "stride", "side"), [(1, 1, 8), (3, 1, 8), (3, 2, 4), (5, 2, 4)])
def test_a_convolution_keeps_the_side_over_its_stride(kernel: int, stride: int, side: int) -> None:
    conv, norm = build_conv_bn(4, 6, kernel, stride, groups=2)
    assert conv.bias is None
    assert norm(conv(torch.randn(2, 4, 8, 8))).shape == (2, 6, side, side)


def zero_projection(block: InvertedResidual) -> None:
    """Set the output of the block's last batch norm to zero."""
    block.conv[-1].weight.data.zero_()


def test_an_inverted_residual_adds_its_input_where_shapes_allow() -> None:
    x = torch.randn(2, 4, 8, 8)
    for block, expected in (
        (InvertedResidual(4, 4, 1, 6), x),
        (InvertedResidual(4, 4, 2, 6), torch.zeros(2, 4, 4, 4)),
        (InvertedResidual(4, 5, 1, 6), torch.zeros(2, 5, 8, 8)),
        (InvertedResidual(4, 4, 2, 6, shortcut=nn.AvgPool2d(2)), nn.functional.avg_pool2d(x, 2)),
    ):
        zero_projection(block)
        torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize(("expansion", "convolutions"), [(1, 2), (6, 3)])
def test_without_expansion_there_is_no_expanding_convolution(expansion: int, convolutions: int) -> None:
    block = InvertedResidual(4, 4, 1, expansion)
    assert sum(isinstance(module, nn.Conv2d) for module in block.modules()) == convolutions


def test_squeeze_and_excitation_scales_whole_channels() -> None:
    excite, x = SqueezeExcite(16), torch.rand(2, 16, 3, 3) + 0.1
    gates = excite(x) / x
    torch.testing.assert_close(gates, gates[:, :, :1, :1].expand_as(gates))
    assert ((gates > 0) & (gates < 1)).all()
    assert not torch.equal(gates[0], gates[1]), "gates depend on the sample"
