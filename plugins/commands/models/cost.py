"""Count what a network costs: parameters, multiply-accumulates, the published tables' count, memory.

The published count ("FLOPs" in the FeatherNets' tables) is one per multiply-accumulate of `Conv2d` and
`Linear` and per output element of their biases, one per input element of `BatchNorm2d` and `ReLU`, and
kernel area x outputs of `MaxPool2d` and `AvgPool2d`. `ReLU6`, `Sigmoid`, adaptive pooling and element-wise
sums and products are free.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from attrs import frozen
from torch import Tensor, nn

FLOAT_BYTES = 4
SHAPE_PRESERVING = (nn.BatchNorm2d, nn.ReLU6)


@frozen
class LayerCost:
    """One call of a layer on one sample.

    Args:
        name: name of the layer within the network.
        macs: multiply-accumulates.
        published: the published tables' count.
        inputs, outputs: elements; no outputs where the layer works in place.
    """

    name: str
    macs: int
    published: int
    inputs: int
    outputs: int


@frozen
class Block:
    """The layers of one part of a network, summed.

    Args:
        name: name within the network.
        kind: name of its class.
        shape: shape of its output without the batch; None where the network never calls it as a module.
        params: parameters.
        macs: multiply-accumulates.
        published: the published tables' count.
    """

    name: str
    kind: str
    shape: tuple[int, ...] | None
    params: int
    macs: int
    published: int


@frozen
class Cost:
    """What a network costs for one sample.

    Args:
        params: parameters.
        macs: multiply-accumulates.
        published: the published tables' count.
        activations: bytes of all layers' outputs in float32, which training keeps for the backward pass.
        largest: bytes of input and output of the layer with most of both.
        blocks: the same by part of the network, in order.
    """

    params: int
    macs: int
    published: int
    activations: int
    largest: int
    blocks: tuple[Block, ...]


def measure(network: nn.Module, inputs: Any) -> Cost:
    """Count during one call of the network, which is left in eval mode; the meta device computes nothing.

    Args:
        network: any network.
        inputs: its argument, for one sample.
    """
    with _skip_slow_layers(network), _record_layers(network) as (layers, shapes), torch.no_grad():
        network.eval()(inputs)
    return Cost(
        params=_count_parameters(network),
        macs=sum(layer.macs for layer in layers),
        published=sum(layer.published for layer in layers),
        activations=FLOAT_BYTES * sum(layer.outputs for layer in layers),
        largest=FLOAT_BYTES * max((layer.inputs + layer.outputs for layer in layers), default=0),
        blocks=tuple(_sum_blocks(network, layers, shapes)),
    )


def _count_parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


@contextmanager
def _skip_slow_layers(network: nn.Module) -> Iterator[None]:
    """On the meta device, give the layers that preserve their input's shape a forward pass that does no more.

    PyTorch runs batch norm and ReLU6 there step by step in Python, which takes five times as long as all
    other layers together.
    """
    on_meta = all(value.is_meta for value in network.parameters())
    layers = [layer for layer in network.modules() if on_meta and isinstance(layer, SHAPE_PRESERVING)]
    for layer in layers:
        in_place = getattr(layer, "inplace", False)
        vars(layer)["forward"] = _return_input if in_place else torch.empty_like
    try:
        yield
    finally:
        for layer in layers:
            del vars(layer)["forward"]


def _return_input(x: Tensor) -> Tensor:
    return x


@contextmanager
def _record_layers(network: nn.Module) -> Iterator[tuple[list[LayerCost], dict[str, tuple[int, ...]]]]:
    """Collect the cost of each call of a layer, and the shape of each module's last output."""
    layers: list[LayerCost] = []
    shapes: dict[str, tuple[int, ...]] = {}

    def make_hook(name: str) -> Callable[[nn.Module, tuple[Any, ...], object], None]:
        def record(module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
            if not isinstance(output, Tensor):
                return
            shapes[name] = tuple(output.shape[1:])
            if not any(module.children()) and isinstance(inputs[0], Tensor):
                layers.append(_layer_cost(name, module, inputs[0], output))

        return record

    handles = [module.register_forward_hook(make_hook(name)) for name, module in network.named_modules()]
    try:
        yield layers, shapes
    finally:
        for handle in handles:
            handle.remove()


def _layer_cost(name: str, layer: nn.Module, x: Tensor, output: Tensor) -> LayerCost:
    macs = extra = 0
    if isinstance(layer, nn.Conv2d):
        macs = output.numel() * layer.weight[0].numel()
    elif isinstance(layer, nn.Linear):
        macs = output.numel() * layer.in_features
    if isinstance(layer, nn.Conv2d | nn.Linear):
        extra = output.numel() if layer.bias is not None else 0
    elif isinstance(layer, nn.BatchNorm2d | nn.ReLU):
        extra = x.numel()
    elif isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
        extra = output.numel() * _kernel_area(layer.kernel_size)
    outputs = 0 if output is x else output.numel()  # none in place, or where the input is passed on
    return LayerCost(name, macs, macs + extra, x.numel(), outputs)


def _kernel_area(size: int | tuple[int, ...]) -> int:
    return size * size if isinstance(size, int) else math.prod(size)


def _sum_blocks(
    network: nn.Module, layers: list[LayerCost], shapes: Mapping[str, tuple[int, ...]]
) -> Iterator[Block]:
    for name, module in _named_blocks(network):
        inside = [layer for layer in layers if layer.name == name or layer.name.startswith(f"{name}.")]
        block = Block(
            name,
            type(module).__name__,
            shapes.get(name),
            _count_parameters(module),
            sum(layer.macs for layer in inside),
            sum(layer.published for layer in inside),
        )
        if block.params or block.published:
            yield block


def _named_blocks(network: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Iterate over the children of a model and of its networks; a list of blocks gives its blocks."""
    for child_name, child in network.named_children():
        name = f"{prefix}.{child_name}" if prefix else child_name
        is_list = isinstance(child, nn.Sequential | nn.ModuleList)
        if isinstance(child, nn.ModuleDict):  # branches
            for key, branch in child.items():
                yield from _named_blocks(branch, f"{name}.{key}")
        elif is_list and any(any(block.children()) for block in child.children()):
            yield from ((f"{name}.{key}", block) for key, block in child.named_children())
        elif not prefix and not is_list and any(child.children()):
            yield from _named_blocks(child, name)
        else:
            yield name, child
