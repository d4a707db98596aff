"""What a network costs: parameters, multiply-accumulates, the published tables' count, memory, time.

The published count ("FLOPs" in the FeatherNets' tables) is one per multiply-accumulate of `Conv2d` and
`Linear` and per output element of their biases, one per input element of `BatchNorm2d` and `ReLU`, and
kernel area x outputs of `MaxPool2d` and `AvgPool2d`. `ReLU6`, `Sigmoid`, adaptive pooling and element-wise
sums and products are free.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from attrs import frozen
from torch import Tensor, nn

FLOAT = 4
"""Bytes of a float32."""

SHAPE_KEEPING = (nn.BatchNorm2d, nn.ReLU6)


@frozen
class LayerCost:
    """One call of a layer, on one sample.

    Args:
        name: of the layer within the network.
        macs: multiply-accumulates.
        published: by the convention of the published tables.
        inputs, outputs: elements.
    """

    name: str
    macs: int
    published: int
    inputs: int
    outputs: int


@frozen
class Block:
    """A part of a network: its layers taken together.

    Args:
        name: of the part.
        kind: its class.
        shape: of what it gives, without the batch; None where it is not called as a whole.
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
        params: how many.
        macs: multiply-accumulates.
        published: by the convention of the published tables.
        activations: bytes of what all layers give, in float32: what training keeps of a sample.
        largest: bytes of the input and output of the layer that has most of them.
        blocks: the network in parts, in order.
    """

    params: int
    macs: int
    published: int
    activations: int
    largest: int
    blocks: tuple[Block, ...]


@frozen
class Latency:
    """Seconds for one sample.

    Args:
        median: of the runs.
        low, high: quartiles.
        runs: how many were measured.
        threads: that torch computed with.
    """

    median: float
    low: float
    high: float
    runs: int
    threads: int


def measure(network: nn.Module, inputs: Any) -> Cost:
    """Count by one call of the network; on the meta device nothing is computed.

    Args:
        inputs: what it is called with, one sample.
    """
    with _shapes_only(network), _recorded(network) as (layers, shapes), torch.no_grad():
        network.eval()(inputs)
    return Cost(
        params=parameters(network),
        macs=sum(layer.macs for layer in layers),
        published=sum(layer.published for layer in layers),
        activations=FLOAT * sum(layer.outputs for layer in layers),
        largest=FLOAT * max((layer.inputs + layer.outputs for layer in layers), default=0),
        blocks=tuple(_blocks(network, layers, shapes)),
    )


def parameters(network: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(value.numel() for value in network.parameters())


@contextmanager
def threads_of_torch(count: int) -> Iterator[None]:
    """So many CPU threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def latency(call: Callable[[], object], *, threads: int, runs: int = 20, seconds: float = 5.0) -> Latency:
    """Time `call` after two calls to warm up: `runs` times, or at least 5 and as often as fits `seconds`."""
    with threads_of_torch(threads), torch.inference_mode():
        call()
        call()
        taken: list[float] = []
        while len(taken) < runs and (len(taken) < 5 or sum(taken) < seconds):
            began = time.perf_counter()
            call()
            taken.append(time.perf_counter() - began)
    low, median, high = statistics.quantiles(taken, n=4)
    return Latency(median, low, high, len(taken), threads)


@contextmanager
def _shapes_only(network: nn.Module) -> Iterator[None]:
    """While the block runs on the meta device, what keeps its input's shape only does that.

    PyTorch works these out step by step in Python there, and that is most of the time.
    """
    on_meta = all(value.is_meta for value in network.parameters())
    kept = [module for module in network.modules() if on_meta and isinstance(module, SHAPE_KEEPING)]
    for module in kept:
        in_place = getattr(module, "inplace", False)
        module.__dict__["forward"] = _same if in_place else torch.empty_like
    try:
        yield
    finally:
        for module in kept:
            del module.__dict__["forward"]


def _same(x: Tensor) -> Tensor:
    return x


@contextmanager
def _recorded(network: nn.Module) -> Iterator[tuple[list[LayerCost], dict[str, tuple[int, ...]]]]:
    """While the block runs: a record for each call of a layer, and the last shape that each module gave."""
    layers: list[LayerCost] = []
    shapes: dict[str, tuple[int, ...]] = {}

    def hook(name: str) -> Callable[[nn.Module, tuple[Any, ...], object], None]:
        def record(module: nn.Module, given: tuple[Any, ...], made: object) -> None:
            if not isinstance(made, Tensor):
                return
            shapes[name] = tuple(made.shape[1:])
            if not any(module.children()) and isinstance(given[0], Tensor):
                layers.append(_cost(name, module, given[0], made))

        return record

    handles = [module.register_forward_hook(hook(name)) for name, module in network.named_modules()]
    try:
        yield layers, shapes
    finally:
        for handle in handles:
            handle.remove()


def _cost(name: str, module: nn.Module, given: Tensor, made: Tensor) -> LayerCost:
    macs = extra = 0
    if isinstance(module, nn.Conv2d):
        macs = made.numel() * module.weight[0].numel()
    elif isinstance(module, nn.Linear):
        macs = made.numel() * module.in_features
    if isinstance(module, nn.Conv2d | nn.Linear):
        extra = made.numel() if module.bias is not None else 0
    elif isinstance(module, nn.BatchNorm2d | nn.ReLU):
        extra = given.numel()
    elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        extra = made.numel() * _area(module.kernel_size)
    new = 0 if made is given else made.numel()  # in place, or passed on
    return LayerCost(name, macs, macs + extra, given.numel(), new)


def _area(kernel: int | tuple[int, ...]) -> int:
    return kernel * kernel if isinstance(kernel, int) else math.prod(kernel)


def _blocks(
    network: nn.Module, layers: list[LayerCost], shapes: Mapping[str, tuple[int, ...]]
) -> Iterator[Block]:
    for name, module in _parts(network):
        inside = [layer for layer in layers if layer.name == name or layer.name.startswith(f"{name}.")]
        block = Block(
            name,
            type(module).__name__,
            shapes.get(name),
            parameters(module),
            sum(layer.macs for layer in inside),
            sum(layer.published for layer in inside),
        )
        if block.params or block.published:
            yield block


def _parts(network: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Children, where a list of blocks stands for its blocks, and a network of its own for its parts."""
    for child_name, child in network.named_children():
        path = f"{name}.{child_name}" if name else child_name
        if isinstance(child, nn.ModuleDict):
            for key, inner in child.items():
                yield from _parts(inner, f"{path}.{key}")
        elif isinstance(child, nn.Sequential | nn.ModuleList) and any(any(item.children()) for item in child):
            yield from ((f"{path}.{key}", item) for key, item in child.named_children())
        elif not name and not isinstance(child, nn.Sequential | nn.ModuleList) and any(child.children()):
            yield from _parts(child, path)
        else:
            yield path, child
