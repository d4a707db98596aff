"""Hidden channels of a graph: computed by one convolution and mixed again only by linear layers.

They are the wide middles of inverted residuals (arXiv 1801.04381), the first layer's where depth-wise
convolutions and pooling follow, and the last layer's before a classifier. Any of them can be removed without
changing the shapes of the rest of the graph.
"""

from __future__ import annotations

import math

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from onnxscript import ir

from fas_plugins.exporters.graph import (
    Array,
    add_constant,
    count_groups,
    is_pointwise,
    read_bias,
    read_constant,
)

CHANNELWISE = ("Clip", "Relu", "AveragePool", "MaxPool")
"""Operators that treat every channel separately and alike, as the mean over all positions does."""

DEPTHWISE_COST = 3
"""Run time of a depth-wise convolution / of a dense one of as many multiplications, about."""


@frozen(eq=False)
class PrunableChannels:
    """One set of hidden channels.

    Args:
        producer: the convolution whose outputs they are.
        depthwise: convolutions that filter each channel separately.
        readers: layers that mix them: point-wise convolutions of stride 1, and linear layers after a mean.
        values: all tensors of these channels, from the producer to the readers.
    """

    producer: ir.Node
    depthwise: list[ir.Node]
    readers: list[ir.Node]
    values: list[ir.Value]

    @property
    def count(self) -> int:
        """Number of channels."""
        return len(read_constant(self.producer.inputs[1]))

    @property
    def cost(self) -> float:
        """Cost of one channel, in millions of a dense convolution's multiplications."""
        weight = read_constant(self.producer.inputs[1])
        produce = weight[0].size * count_positions(self.producer.outputs[0])
        depthwise = sum(
            read_constant(node.inputs[1])[0].size * count_positions(node.outputs[0])
            for node in self.depthwise
        )
        read = sum(
            len(read_constant(node.inputs[1])) * count_positions(node.outputs[0]) for node in self.readers
        )
        return float(produce + DEPTHWISE_COST * depthwise + read) / 1e6


def find_prunable_channels(graph: ir.Graph) -> list[PrunableChannels]:
    """Return every set of hidden channels, in the graph's order."""
    return [
        channels for node in graph if _is_dense(node) and (channels := _follow_channels(node)) is not None
    ]


def _follow_channels(producer: ir.Node) -> PrunableChannels | None:
    """Follow a convolution's outputs to the layers that mix them; None if anything else reads them."""
    depthwise: list[ir.Node] = []
    readers: list[ir.Node] = []
    values = [producer.outputs[0]]
    for value in values:  # more are appended on the way
        if value.is_graph_output() or not count_positions(value):
            return None
        for node, index in value.uses():
            if index == 0 and (_is_pointwise_reader(node) or _is_linear(node)):
                readers.append(node)
            elif index == 0 and (node.op_type in CHANNELWISE or _is_mean(node) or _is_depthwise(node)):
                depthwise += [node] if node.op_type == "Conv" else []
                values.append(node.outputs[0])
            else:
                return None
    return PrunableChannels(producer, depthwise, readers, values) if readers else None


def count_positions(value: ir.Value) -> int:
    """Return height x width of a map, 1 for a vector, 0 where it is unknown."""
    sides = value.shape[2:] if value.shape is not None else (None,)
    return math.prod(side if isinstance(side, int) else 0 for side in sides)


def _is_dense(node: ir.Node) -> bool:
    return node.op_type == "Conv" and _has_constant_weights(node) and count_groups(node) == 1


def _is_depthwise(node: ir.Node) -> bool:
    if node.op_type != "Conv" or not _has_constant_weights(node):
        return False
    return count_groups(node) == len(read_constant(node.inputs[1])) > 1


def _is_pointwise_reader(node: ir.Node) -> bool:
    """Whether a node is a point-wise convolution of stride 1 without padding."""
    strides, pads = node.attributes.get("strides"), node.attributes.get("pads")
    unstrided = strides is None or set(strides.as_ints()) == {1}
    unpadded = pads is None or not any(pads.as_ints())
    return is_pointwise(node) and _has_constant_weights(node) and unstrided and unpadded


def _is_linear(node: ir.Node) -> bool:
    """Whether a node is a linear layer with weights (O, C)."""
    settings = {name: attribute.value for name, attribute in node.attributes.items()}
    unscaled = settings.get("alpha", 1) == settings.get("beta", 1) == 1
    transposed = settings.get("transB", 0) == 1 and not settings.get("transA", 0)
    return node.op_type == "Gemm" and _has_constant_weights(node) and unscaled and transposed


def _is_mean(node: ir.Node) -> bool:
    """Whether a node is a mean over height and width whose result is a vector."""
    if node.op_type != "ReduceMean" or not _has_constant_weights(node) or len(node.inputs) < 2:
        return False
    axes = {int(axis) % 4 for axis in read_constant(node.inputs[1])}
    return axes == {2, 3} and "keepdims" in node.attributes and not node.attributes["keepdims"].as_int()


def _has_constant_weights(node: ir.Node) -> bool:
    """Whether all inputs but the first are constants."""
    return all(value is None or value.const_value is not None for value in node.inputs[1:])


def keep_channels(graph: ir.Graph, channels: PrunableChannels, indices: NDArray[np.intp]) -> None:
    """Keep only the channels at these indices, in place, also in the readers' weights."""
    for node in (channels.producer, *channels.depthwise):
        bias = read_bias(node)
        _set_weights(
            graph, node, read_constant(node.inputs[1])[indices], None if bias is None else bias[indices]
        )
    for node in channels.depthwise:
        node.attributes["group"] = ir.AttrInt64("group", len(indices))
    for node in channels.readers:
        _set_weights(graph, node, read_constant(node.inputs[1])[:, indices], read_bias(node))
    for value in channels.values:
        if value.shape is not None:
            value.shape = ir.Shape([value.shape[0], len(indices), *value.shape[2:]])


def set_reader_weights(graph: ir.Graph, reader: ir.Node, weight: Array, bias: Array) -> None:
    """Replace the weights of a reader by (C, O) ones and its bias by (O,), in place."""
    kernel = read_constant(reader.inputs[1]).shape[2:]
    _set_weights(graph, reader, weight.T.reshape(*weight.T.shape, *kernel), bias)


def _set_weights(graph: ir.Graph, node: ir.Node, weight: Array, bias: Array | None) -> None:
    name = f"{node.name}.{len(graph.initializers)}"
    node.resize_inputs(2 if bias is None else 3)
    node.replace_input_with(1, add_constant(graph, f"{name}.weight", weight))
    if bias is not None:
        node.replace_input_with(2, add_constant(graph, f"{name}.bias", bias))
