"""Reading an ONNX graph's constants and structure, and adding constants to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxscript import ir

from fas_core.card import PRESENCE
from fas_core.contracts import Images
from fas_core.records.novelty import NOVELTY

Array = NDArray[np.float64]
Facts = dict[str, str | int]
"""Facts about an export that are printed with it, e.g. `{"opset": 18}`."""

PREPROCESSING = ("Transpose", "Cast", "Mul", "Add", "Sub", "Div")


def read_constant(value: ir.Value | None) -> Array:
    """Return the values of a constant input."""
    assert value is not None
    assert value.const_value is not None
    return np.asarray(value.const_value.numpy(), np.float64)


def read_bias(conv: ir.Node) -> Array | None:
    """Return the bias (O,) of a convolution or linear layer, None if it has none."""
    return read_constant(conv.inputs[2]) if len(conv.inputs) > 2 and conv.inputs[2] is not None else None


def read_sizes(node: ir.Node, name: str, default: Sequence[int]) -> list[int]:
    """Return the values of an attribute such as `strides`, or its default."""
    return list(node.attributes[name].as_ints() if name in node.attributes else default)


def count_groups(conv: ir.Node) -> int:
    """Return the number of groups of a convolution."""
    return conv.attributes["group"].as_int() if "group" in conv.attributes else 1


def is_pointwise(node: ir.Node) -> bool:
    """Whether a node is a 1 x 1 convolution in one group."""
    weight = node.inputs[1].const_value if node.op_type == "Conv" and node.inputs[1] else None
    return weight is not None and count_groups(node) == 1 and list(weight.shape[2:]) == [1, 1]


def get_only_reader(node: ir.Node) -> ir.Node | None:
    """Return the one node that reads the output, as its first input; None if there are others."""
    value = node.outputs[0]
    readers = list(value.uses())
    if value.is_graph_output() or len(readers) != 1 or readers[0].idx != 0:
        return None
    return readers[0].node


def measure_depths(graph: ir.Graph) -> dict[ir.Node, int]:
    """Return for every node the number of nodes on the longest path to it, itself included."""
    depths: dict[ir.Node, int] = {}
    for node in graph:
        producers = [value.producer() for value in node.inputs if value is not None]
        depths[node] = 1 + max(
            (depths[producer] for producer in producers if producer is not None), default=0
        )
    return depths


def find_preprocessing(graph: ir.Graph) -> list[ir.Node]:
    """Return the nodes of the model's preprocessing, which turn bytes into normalised pixels."""
    reached = {value for value in graph.inputs if value.dtype == ir.DataType.UINT8}
    nodes = []
    for node in graph:
        variable = [value for value in node.inputs if value is not None and value.const_value is None]
        if node.op_type in PREPROCESSING and variable and reached.issuperset(variable):
            nodes.append(node)
            reached.update(node.outputs)
    return nodes


def find_novelty(graph: ir.Graph) -> list[ir.Node]:
    """Return the nodes that only the output `novelty` needs."""
    needed = [value for value in graph.outputs if value.name != NOVELTY]
    reached: set[ir.Node] = set()
    while needed:
        producer = needed.pop().producer()
        if producer is not None and producer not in reached:
            reached.add(producer)
            needed += [value for value in producer.inputs if value is not None]
    return [node for node in graph if node not in reached]


def to_graph_inputs(graph: ir.Graph, samples: Images) -> dict[str, NDArray[Any]]:
    """Return samples as the graph's inputs, with all their modalities present."""
    inputs: dict[str, NDArray[Any]] = {
        str(value.name): samples[str(value.name)] for value in graph.inputs if value.name in samples
    }
    if len(inputs) < len(graph.inputs):
        count = len(next(iter(inputs.values())))
        inputs[PRESENCE] = np.ones((count, len(inputs)), np.bool_)
    return inputs


def add_constant(graph: ir.Graph, name: str, values: NDArray[Any]) -> ir.Value:
    """Add a float32 constant to the graph and return it."""
    tensor = ir.tensor(np.ascontiguousarray(values, np.float32), name=name)
    shape, kind = ir.Shape(values.shape), ir.TensorType(tensor.dtype)
    value = ir.Value(name=name, shape=shape, type=kind, const_value=tensor)
    graph.register_initializer(value)
    return value


def add_sizes(graph: ir.Graph, name: str, sizes: Sequence[int]) -> ir.Value:
    """Add an int64 constant to the graph and return it."""
    values: NDArray[np.int64] = np.array(sizes, np.int64)
    tensor = ir.tensor(values, name=name)
    value = ir.Value(
        name=name, shape=ir.Shape(values.shape), type=ir.TensorType(tensor.dtype), const_value=tensor
    )
    graph.register_initializer(value)
    return value


def set_weights(graph: ir.Graph, conv: ir.Node, weight: Array, bias: Array) -> None:
    """Give a convolution other weights, (O, C / groups, k, k), and bias, (O,)."""
    name = f"{conv.name}.{len(graph.initializers)}"
    conv.resize_inputs(3)
    conv.replace_input_with(1, add_constant(graph, f"{name}.weight", weight))
    conv.replace_input_with(2, add_constant(graph, f"{name}.bias", bias))
