"""The folded central difference convolution against the formula of its paper, in two convolutions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from fas_plugins.backbones.central_difference import CentralDifferenceConv2d


def two_convolutions(x: Tensor, weight: Tensor, theta: float) -> Tensor:
    """arXiv 2003.04092, eq. 4: the ordinary convolution less theta times the one of the kernel's sums."""
    return F.conv2d(x, weight, padding=1) - theta * F.conv2d(x, weight.sum(dim=(2, 3), keepdim=True))


@pytest.mark.parametrize("theta", [0.0, 0.3, 0.7, 1.0])
def test_it_equals_the_two_convolutions_forward_and_backward(theta: float) -> None:
    torch.manual_seed(0)
    layer = CentralDifferenceConv2d(5, 7, theta)
    x = torch.randn(2, 5, 9, 11, requires_grad=True)
    along = torch.randn(2, 7, 9, 11)

    got, expected = layer(x), two_convolutions(x, layer.weight, theta)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)
    for ours, theirs in zip(
        torch.autograd.grad((got * along).sum(), (x, layer.weight)),
        torch.autograd.grad((expected * along).sum(), (x, layer.weight)),
        strict=True,
    ):
        scale = theirs.abs().max().clamp(min=1)
        torch.testing.assert_close(ours / scale, theirs / scale, rtol=0, atol=1e-5)


def test_a_flat_image_leaves_what_theta_leaves() -> None:
    layer = CentralDifferenceConv2d(1, 1, theta=0.75)
    layer.weight.data = torch.arange(1.0, 10).view(1, 1, 3, 3)
    inside = layer(torch.ones(1, 1, 3, 3))[0, 0, 1, 1]
    assert inside.item() == pytest.approx(45 * 0.25)


def test_it_costs_what_an_ordinary_convolution_does() -> None:
    x = torch.randn(1, 8, 16, 16)

    def cost(layer: nn.Module) -> int:
        with FlopCounterMode(display=False) as counter:
            layer(x)
        return counter.get_total_flops()

    assert cost(CentralDifferenceConv2d(8, 4)) == cost(nn.Conv2d(8, 4, 3, padding=1)) > 0
