"""A graph in float32 as PyTorch computes it, so that its weights can be trained and written back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from onnxscript import ir
from torch import Tensor
from torch.nn import functional as F

from fas_core.errors import ModelError
from fas_plugins.exporters.graph import count_groups, find_novelty, read_sizes

TRAINED = {"Conv": (1, 2), "Gemm": (1, 2), "MatMul": (0, 1), "BatchNormalization": (1, 2)}
"""Inputs of each operator that are weights: kernels, biases, and a batch norm's scale and shift."""

DTYPES = {
    ir.DataType.FLOAT: torch.float32,
    ir.DataType.BOOL: torch.bool,
    ir.DataType.INT64: torch.int64,
    ir.DataType.INT32: torch.int32,
    ir.DataType.UINT8: torch.uint8,
}


class TrainableGraph:
    """A graph's values as functions of its inputs and of its weights, which are tensors with gradients.

    Args:
        model: the graph; `store` changes its weights.
        names: the values to compute. Novelty, and what no value needs, is left out.

    Raises:
        ModelError: a value depends on an operator that is not of `OPERATORS`.
    """

    def __init__(self, model: ir.Model, names: Sequence[str]) -> None:
        self.names = list(names)
        self.nodes = _find_needed(model.graph, self.names)
        self.constants: dict[str, Tensor] = {}
        self.weights: dict[str, Tensor] = {}
        self._values = {value: str(value.name) for value in model.graph.initializers.values()}
        for node in self.nodes:
            if node.op_type not in OPERATORS or node.domain:
                raise ModelError(f"this model cannot be trained after pruning: operator {node.op_type}")
            for position, value in enumerate(node.inputs):
                if value is not None and value.const_value is not None:
                    self._add_constant(value, position in TRAINED.get(node.op_type, ()))

    def _add_constant(self, value: ir.Value, is_trained: bool) -> None:
        assert value.const_value is not None
        tensor = torch.from_numpy(np.array(value.const_value.numpy()))
        if is_trained and tensor.is_floating_point():
            self.weights.setdefault(str(value.name), tensor.requires_grad_())
        else:
            self.constants[str(value.name)] = tensor

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the values by name, of inputs `{name: (B, ...)}`."""
        values = {**self.constants, **self.weights, **inputs}
        for node in self.nodes:
            arguments = [None if value is None else values[str(value.name)] for value in node.inputs]
            values[str(node.outputs[0].name)] = OPERATORS[node.op_type](node, *arguments)
        return {name: values[name] for name in self.names}

    def store(self, weights: Mapping[str, Tensor] | None = None) -> None:
        """Write the weights, or others of the same names, into the graph."""
        stored = self.weights if weights is None else weights
        for value, name in self._values.items():
            if name in stored:
                trained = stored[name].detach().numpy()
                value.const_value = ir.tensor(np.array(trained, np.float32), name=name)


def _find_needed(graph: ir.Graph, names: Sequence[str]) -> list[ir.Node]:
    """Return the nodes that the named values depend on, in the graph's order."""
    needed, novelty = set(names), set(find_novelty(graph))
    nodes = []
    for node in reversed(list(graph)):
        if node not in novelty and needed.intersection(str(value.name) for value in node.outputs):
            nodes.append(node)
            needed.update(str(value.name) for value in node.inputs if value is not None)
    return nodes[::-1]


def _read(node: ir.Node, name: str, default: Any) -> Any:
    """Return the value of an attribute, or its default."""
    return node.attributes[name].value if name in node.attributes else default


def _pad(node: ir.Node, x: Tensor, value: float) -> tuple[Tensor, list[int]]:
    """Return a map and the padding that PyTorch can add to it; where that is uneven, it is padded here."""
    top, left, bottom, right = read_sizes(node, "pads", [0, 0, 0, 0])
    if (top, left) == (bottom, right):
        return x, [top, left]
    return F.pad(x, [left, right, top, bottom], value=value), [0, 0]


def _convolve(node: ir.Node, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    x, padding = _pad(node, x, 0.0)
    strides, dilations = read_sizes(node, "strides", [1, 1]), read_sizes(node, "dilations", [1, 1])
    return F.conv2d(x, weight, bias, strides, padding, dilations, count_groups(node))


def _average(node: ir.Node, x: Tensor) -> Tensor:
    x, padding = _pad(node, x, 0.0)
    return F.avg_pool2d(
        x,
        read_sizes(node, "kernel_shape", []),
        read_sizes(node, "strides", [1, 1]),
        padding,
        ceil_mode=bool(_read(node, "ceil_mode", 0)),
        count_include_pad=bool(_read(node, "count_include_pad", 0)),
    )


def _maximize(node: ir.Node, x: Tensor) -> Tensor:
    x, padding = _pad(node, x, -torch.inf)
    return F.max_pool2d(
        x,
        read_sizes(node, "kernel_shape", []),
        read_sizes(node, "strides", [1, 1]),
        padding,
        read_sizes(node, "dilations", [1, 1]),
        ceil_mode=bool(_read(node, "ceil_mode", 0)),
    )


def _normalize(node: ir.Node, x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    return F.batch_norm(x, mean, var, scale, shift, eps=_read(node, "epsilon", 1e-5))


def _multiply_matrices(node: ir.Node, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    x = x.mT if _read(node, "transA", 0) else x
    product: Tensor = _read(node, "alpha", 1.0) * (x @ (weight.mT if _read(node, "transB", 0) else weight))
    return product if bias is None else product + _read(node, "beta", 1.0) * bias


def _clip(_: ir.Node, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    """As by numbers: tensors as bounds take twice as long to train."""
    return x.clamp(*(None if bound is None else bound.item() for bound in (low, high)))


def _reduce(reduction: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def reduce(node: ir.Node, x: Tensor, axes: Tensor | None = None) -> Tensor:
        dims = list(range(x.ndim)) if axes is None else axes.tolist()
        return reduction(x, dim=dims, keepdim=bool(_read(node, "keepdims", 1)))

    return reduce


def _reshape(_: ir.Node, x: Tensor, shape: Tensor) -> Tensor:
    return x.reshape([x.shape[axis] if size == 0 else size for axis, size in enumerate(shape.tolist())])


def _slice(_: ir.Node, x: Tensor, starts: Tensor, ends: Tensor, *axes_and_steps: Tensor) -> Tensor:
    dims, strides = list(range(len(starts))), [1] * len(starts)
    for values, operand in zip((dims, strides), axes_and_steps, strict=False):
        values[:] = operand.tolist()
    for start, end, dim, stride in zip(starts.tolist(), ends.tolist(), dims, strides, strict=True):
        if stride < 0:  # PyTorch has none: as of a network that takes BGR
            x, start, end, stride = x.flip(dim), -1 - start, -1 - end, -stride
            start, end = (edge + x.shape[dim] if edge < 0 else edge for edge in (start, end))
        x = x[(slice(None),) * (dim % x.ndim) + (slice(start, end, stride),)]
    return x


def _resize(
    node: ir.Node, x: Tensor, _: Tensor | None = None, scales: Tensor | None = None, *sizes: Tensor
) -> Tensor:
    kind, origin = _read(node, "mode", "nearest"), _read(node, "coordinate_transformation_mode", "half_pixel")
    mode = {("linear", "half_pixel"): "bilinear", ("linear", "pytorch_half_pixel"): "bilinear"}.get(
        (kind, origin), "nearest" if (kind, origin) == ("nearest", "asymmetric") else ""
    )
    if not mode or (scales is None) == (not sizes):
        raise ModelError(f"this model cannot be trained after pruning: Resize by {kind}, {origin}")
    if sizes:
        return F.interpolate(x, sizes[0].tolist()[2:], mode=mode)
    assert scales is not None
    height, width = (int(side * scale) for side, scale in zip(x.shape[2:], scales.tolist()[2:], strict=True))
    return F.interpolate(x, (height, width), mode=mode)


def _apply(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return an operator without attributes."""
    return lambda _, *inputs: function(*inputs)


OPERATORS: dict[str, Callable[..., Tensor]] = {
    "Add": _apply(torch.add),
    "AveragePool": _average,
    "BatchNormalization": _normalize,
    "Cast": lambda node, x: x.to(DTYPES[ir.DataType(_read(node, "to", 1))]),
    "Clip": _clip,
    "Concat": lambda node, *values: torch.cat(values, dim=_read(node, "axis", 0)),
    "Conv": _convolve,
    "Div": _apply(torch.div),
    "Exp": _apply(torch.exp),
    "Gemm": _multiply_matrices,
    "GlobalAveragePool": _apply(lambda x: x.mean((2, 3), keepdim=True)),
    "Identity": _apply(lambda x: x),
    "Log": _apply(torch.log),
    "LogSoftmax": lambda node, x: x.log_softmax(dim=_read(node, "axis", -1)),
    "MatMul": _apply(torch.matmul),
    "MaxPool": _maximize,
    "Mul": _apply(torch.mul),
    "Neg": _apply(torch.neg),
    "Not": _apply(torch.logical_not),
    "Pow": _apply(torch.pow),
    "ReduceLogSumExp": _reduce(torch.logsumexp),
    "ReduceMax": _reduce(torch.amax),
    "ReduceMean": _reduce(torch.mean),
    "ReduceSum": _reduce(torch.sum),
    "Relu": _apply(torch.relu),
    "Reshape": _reshape,
    "Resize": _resize,
    "Sigmoid": _apply(torch.sigmoid),
    "Slice": _slice,
    "Softmax": lambda node, x: x.softmax(dim=_read(node, "axis", -1)),
    "Sqrt": _apply(torch.sqrt),
    "Sub": _apply(torch.sub),
    "Tanh": _apply(torch.tanh),
    "Transpose": lambda node, x: x.permute(_read(node, "perm", list(range(x.ndim))[::-1])),
    "Where": _apply(torch.where),
}
"""By operator of ONNX: (node, inputs) -> output."""
