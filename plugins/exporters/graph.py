"""Questions that are put to an ONNX graph, and constants added to it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxscript import ir

from fas_core.card import PRESENCE
from fas_core.contracts import Images


def array(value: ir.Value | None) -> NDArray[np.float64]:
    """What a constant input holds."""
    assert value is not None
    assert value.const_value is not None
    return np.asarray(value.const_value.numpy(), np.float64)


def bias(conv: ir.Node) -> NDArray[np.float64] | None:
    """(O,) of a convolution, None where it has none."""
    return array(conv.inputs[2]) if len(conv.inputs) > 2 and conv.inputs[2] is not None else None


def group_count(conv: ir.Node) -> int:
    """Of a convolution."""
    return conv.attributes["group"].as_int() if "group" in conv.attributes else 1


def pointwise(node: ir.Node) -> bool:
    """Whether it is a convolution that mixes the channels of each place, and nothing else."""
    weight = node.inputs[1].const_value if node.op_type == "Conv" and node.inputs[1] else None
    return weight is not None and group_count(node) == 1 and list(weight.shape[2:]) == [1, 1]


def depths(graph: ir.Graph) -> dict[ir.Node, int]:
    """Of every node, how many stand before it at most, itself included."""
    found: dict[ir.Node, int] = {}
    for node in graph:
        before = [value.producer() for value in node.inputs if value is not None]
        found[node] = 1 + max((found[made] for made in before if made is not None), default=0)
    return found


def fed(graph: ir.Graph, samples: Images) -> dict[str, NDArray[Any]]:
    """Samples as the graph's inputs, with all their modalities."""
    inputs: dict[str, NDArray[Any]] = {
        str(value.name): samples[str(value.name)] for value in graph.inputs if value.name in samples
    }
    if len(inputs) < len(graph.inputs):
        count = len(next(iter(inputs.values())))
        inputs[PRESENCE] = np.ones((count, len(inputs)), np.bool_)
    return inputs


def constant(graph: ir.Graph, name: str, values: NDArray[Any]) -> ir.Value:
    """A new constant of the graph, float32."""
    tensor = ir.tensor(np.ascontiguousarray(values, np.float32), name=name)
    shape, kind = ir.Shape(values.shape), ir.TensorType(tensor.dtype)
    value = ir.Value(name=name, shape=shape, type=kind, const_value=tensor)
    graph.register_initializer(value)
    return value
