"""Hidden channels: those that one convolution makes and that only linear layers of single places mix again.

Such are the wide middles of inverted residuals (arXiv 1801.04381), the first layer's where depth-wise
convolutions and pooling follow, and the last layer's before a classifier. Any of them can be left
out without changing what the rest of a graph looks like.
"""

from __future__ import annotations

import math

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from onnxscript import ir

from fas_plugins.exporters.graph import array, bias, constant, group_count, pointwise

ALONE = ("Clip", "Relu", "AveragePool", "MaxPool")
"""What treats every channel by itself and all alike; the mean over all places does so too."""

DEPTHWISE = 3
"""So many times as long as a dense convolution of as many multiplications takes a depth-wise one, about."""

Array = NDArray[np.float64]


@frozen(eq=False)
class Hidden:
    """A set of them.

    Args:
        maker: the convolution whose outputs they are.
        depthwise: convolutions that take each by itself.
        readers: what mixes them: point-wise convolutions of stride 1, and linear layers after a mean.
        values: everything between.
    """

    maker: ir.Node
    depthwise: list[ir.Node]
    readers: list[ir.Node]
    values: list[ir.Value]

    @property
    def count(self) -> int:
        return len(array(self.maker.inputs[1]))

    @property
    def cost(self) -> float:
        """What one channel takes, in millions of a dense convolution's multiplications."""
        made = array(self.maker.inputs[1])[0].size * places(self.maker.outputs[0])
        alone = sum(array(node.inputs[1])[0].size * places(node.outputs[0]) for node in self.depthwise)
        read = sum(len(array(node.inputs[1])) * places(node.outputs[0]) for node in self.readers)
        return float(made + DEPTHWISE * alone + read) / 1e6


def hidden_channels(graph: ir.Graph) -> list[Hidden]:
    """Every set of them, in the graph's order."""
    return [found for node in graph if _dense(node) and (found := _hidden(node)) is not None]


def _hidden(maker: ir.Node) -> Hidden | None:
    depthwise: list[ir.Node] = []
    readers: list[ir.Node] = []
    values = [maker.outputs[0]]
    for value in values:
        if value.is_graph_output() or not places(value):
            return None
        for use in value.uses():
            node = use.node
            if use.idx == 0 and (_mixes(node) or _linear(node)):
                readers.append(node)
            elif use.idx == 0 and (node.op_type in ALONE or _averages(node) or _depthwise(node)):
                depthwise += [node] if node.op_type == "Conv" else []
                values.append(node.outputs[0])  # and on from there
            else:
                return None
    return Hidden(maker, depthwise, readers, values) if readers else None


def places(value: ir.Value) -> int:
    """Height x width, 1 of a vector, 0 where that is not known."""
    sides = value.shape[2:] if value.shape is not None else (None,)
    return math.prod(side if isinstance(side, int) else 0 for side in sides)


def _dense(node: ir.Node) -> bool:
    return node.op_type == "Conv" and _known(node) and group_count(node) == 1


def _depthwise(node: ir.Node) -> bool:
    return node.op_type == "Conv" and _known(node) and group_count(node) == len(array(node.inputs[1])) > 1


def _mixes(node: ir.Node) -> bool:
    strides, pads = node.attributes.get("strides"), node.attributes.get("pads")
    still = (strides is None or set(strides.as_ints()) == {1}) and (pads is None or not any(pads.as_ints()))
    return pointwise(node) and _known(node) and still


def _linear(node: ir.Node) -> bool:
    """A linear layer, its weights being (O, C)."""
    given = {name: attribute.value for name, attribute in node.attributes.items()}
    plain = given.get("alpha", 1) == given.get("beta", 1) == 1 and not given.get("transA", 0)
    return node.op_type == "Gemm" and _known(node) and plain and given.get("transB", 0) == 1


def _averages(node: ir.Node) -> bool:
    """A mean over height and width that leaves a vector."""
    if node.op_type != "ReduceMean" or not _known(node) or len(node.inputs) < 2:
        return False
    axes = {int(axis) % 4 for axis in array(node.inputs[1])}
    return axes == {2, 3} and "keepdims" in node.attributes and not node.attributes["keepdims"].as_int()


def _known(node: ir.Node) -> bool:
    """Whether weights and whatever else it takes are constants."""
    return all(value is None or value.const_value is not None for value in node.inputs[1:])


def keep(graph: ir.Graph, hidden: Hidden, kept: NDArray[np.intp]) -> None:
    """Leave these channels only, in place; the readers' weights of the others go."""
    for node in (hidden.maker, *hidden.depthwise):
        own = bias(node)
        _set(graph, node, array(node.inputs[1])[kept], None if own is None else own[kept])
    for node in hidden.depthwise:
        node.attributes["group"] = ir.AttrInt64("group", len(kept))
    for node in hidden.readers:
        _set(graph, node, array(node.inputs[1])[:, kept], bias(node))
    for value in hidden.values:
        if value.shape is not None:
            value.shape = ir.Shape([value.shape[0], len(kept), *value.shape[2:]])


def refit(graph: ir.Graph, reader: ir.Node, weight: Array, shift: Array) -> None:
    """Give a reader other weights, (C, O), and bias, (O,), in place."""
    _set(graph, reader, weight.T.reshape(*weight.T.shape, *array(reader.inputs[1]).shape[2:]), shift)


def _set(graph: ir.Graph, conv: ir.Node, weight: Array, shift: Array | None) -> None:
    name = f"{conv.name}.{len(graph.initializers)}"
    conv.resize_inputs(2 if shift is None else 3)
    conv.replace_input_with(1, constant(graph, f"{name}.weight", weight))
    if shift is not None:
        conv.replace_input_with(2, constant(graph, f"{name}.bias", shift))
