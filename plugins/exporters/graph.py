"""Reading and adding constants of an ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxscript import ir


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


def constant(graph: ir.Graph, name: str, values: NDArray[Any]) -> ir.Value:
    """A new constant of the graph, float32."""
    tensor = ir.tensor(np.ascontiguousarray(values, np.float32), name=name)
    shape, kind = ir.Shape(values.shape), ir.TensorType(tensor.dtype)
    value = ir.Value(name=name, shape=shape, type=kind, const_value=tensor)
    graph.register_initializer(value)
    return value
