"""An expanding convolution, its batch norm and ReLU6 as one operation, against the three layers."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fas_plugins.backbones.blocks import InvertedResidual
from fas_plugins.backbones.efficientnet import Block
from fas_plugins.backbones.expansion import _Expansion, expand


def build_layers(channels: int, outputs: int) -> nn.Sequential:
    """Return the three layers in fp64, with random gains, biases and running statistics."""
    torch.manual_seed(0)
    conv, norm = nn.Conv2d(channels, outputs, 1, bias=False), nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.2)
    for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
        assert values is not None
        nn.init.uniform_(values, 0.5, 2)
    return nn.Sequential(conv, norm, nn.ReLU6(inplace=True)).double()


def join(layers: nn.Sequential, x: Tensor) -> Tensor:
    conv, norm, relu6 = layers
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    return expand(conv, norm, relu6, x)


def draw(*shape: int, layout: torch.memory_format = torch.channels_last) -> Tensor:
    """Return values whose mean is far from zero."""
    return (torch.randn(*shape, dtype=torch.float64) + 3).to(memory_format=layout).requires_grad_()


def used_operations(call: Any) -> str:
    """Return the name of the autograd function that gave a result."""
    return type(call.grad_fn).__name__


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_outputs_gradients_and_running_statistics_are_those_of_the_layers(
    layout: torch.memory_format,
) -> None:
    layers = build_layers(5, 30)
    expected_layers = deepcopy(layers)
    x = draw(4, 5, 7, 9, layout=layout)
    expected_x = x.detach().clone().requires_grad_()

    got, expected = join(layers, x), expected_layers(expected_x)
    weights = torch.randn_like(expected)
    for result in (got, expected):
        (result * weights).sum().backward()

    assert used_operations(got).startswith("_Expansion")
    assert 0 < float((expected == 0).double().mean()) < 1  # both sides of the lower limit occur
    assert float((expected == 6).double().mean()) > 0
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(x.grad, expected_x.grad)
    for name, parameter in expected_layers.named_parameters():
        torch.testing.assert_close(layers.get_parameter(name).grad, parameter.grad)
    for name, value in expected_layers.state_dict().items():
        torch.testing.assert_close(layers.state_dict()[name], value)


def test_gradients_are_those_of_finite_differences() -> None:
    conv, norm, _ = build_layers(2, 4)
    assert isinstance(norm, nn.BatchNorm2d)
    arguments = (draw(2, 2, 3, 5), conv.weight, norm.weight, norm.bias)
    assert torch.autograd.gradcheck(lambda *values: _Expansion.apply(*values, norm.eps)[0], arguments)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rounding(dtype: torch.dtype) -> None:
    """In fp32 it is as close to fp64 as the three layers are, to within a few times their difference."""
    layers, x = build_layers(16, 96), draw(4, 16, 14, 14)
    expected = deepcopy(layers)(x)
    single, x = deepcopy(layers).to(dtype), x.detach().to(dtype)
    difference = (join(single, x) - expected).abs().max()
    assert difference < (1e-12 if dtype == torch.float64 else 5e-5)


def test_less_is_kept_for_the_backward_pass() -> None:
    layers, x = build_layers(8, 48), draw(2, 8, 16, 16)

    def kept(function: Any) -> int:
        storages: dict[int, int] = {}

        def note(tensor: Tensor) -> Tensor:
            storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            result = function(x)
        assert result.requires_grad
        return sum(storages.values())

    assert kept(lambda x: join(layers, x)) < 0.65 * kept(layers)


class Marked(nn.BatchNorm2d):
    """Another batch norm, as of several processes."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) + 100


def test_other_batch_norms_small_maps_and_evaluation_take_the_layers() -> None:
    layers, x = build_layers(5, 30), draw(4, 5, 7, 9)
    small = draw(2, 5, 2, 2)
    assert used_operations(join(layers, small)).startswith("Hardtanh")
    plain_mean = build_layers(5, 30)
    plain_mean[1].momentum = None
    assert used_operations(join(plain_mean, x)).startswith("Hardtanh")
    layers.eval()
    before = deepcopy(layers.state_dict())
    torch.testing.assert_close(join(layers, x), layers(x), rtol=0, atol=0)
    for name, value in before.items():
        torch.testing.assert_close(layers.state_dict()[name], value, rtol=0, atol=0)
    layers[1] = Marked(30).double()
    assert bool((join(layers, x) == 6).all())
    with torch.autocast("cpu", torch.bfloat16):
        assert used_operations(join(build_layers(5, 30), x)).startswith("Hardtanh")


def test_blocks_train_as_their_layers_do() -> None:
    torch.manual_seed(1)
    x = draw(2, 8, 12, 12)
    block = InvertedResidual(8, 8, 1, 6).double()
    torch.testing.assert_close(block(x), x + deepcopy(block).conv(x))
    lite = Block(8, 8, 6, 5, 1, drop=0.0).double()
    copy = deepcopy(lite)
    y = copy.relu(copy.bn0(copy.expand_conv(x)))
    y = copy.bn2(copy.project_conv(copy.relu(copy.bn1(copy.depthwise_conv(y)))))
    torch.testing.assert_close(lite(x), x + y)
