"""The central difference convolution against the formula of its paper, as two convolutions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from fas_plugins.backbones.central_difference import CentralDifferenceConv2d, build_difference_layers


def apply_formula(x: Tensor, weight: Tensor, theta: float) -> Tensor:
    """arXiv 2003.04092, eq. 4: the ordinary convolution less theta times the one of the kernel's sums."""
    return F.conv2d(x, weight, padding=1) - theta * F.conv2d(x, weight.sum(dim=(2, 3), keepdim=True))


@pytest.mark.parametrize("theta", [0.0, 0.3, 0.7, 1.0])
def test_it_equals_the_two_convolutions_forward_and_backward(theta: float) -> None:
    torch.manual_seed(0)
    layer = CentralDifferenceConv2d(5, 7, theta)
    x = torch.randn(2, 5, 9, 11, requires_grad=True)
    direction = torch.randn(2, 7, 9, 11)

    got, expected = layer(x), apply_formula(x, layer.weight, theta)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)
    for gradient, expected_gradient in zip(
        torch.autograd.grad((got * direction).sum(), (x, layer.weight)),
        torch.autograd.grad((expected * direction).sum(), (x, layer.weight)),
        strict=True,
    ):
        scale = expected_gradient.abs().max().clamp(min=1)
        torch.testing.assert_close(gradient / scale, expected_gradient / scale, rtol=0, atol=1e-5)


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


def test_layers_lead_through_the_channel_counts() -> None:
    layers = build_difference_layers((3, 8, 5), theta=0.25)
    assert [type(layer).__name__ for layer in layers] == [
        "CentralDifferenceConv2d",
        "BatchNorm2d",
        "ReLU",
    ] * 2
    assert [layer.theta for layer in layers if isinstance(layer, CentralDifferenceConv2d)] == [0.25, 0.25]
    assert nn.Sequential(*layers)(torch.randn(2, 3, 4, 4)).shape == (2, 5, 4, 4)
