"""A graph in float16: half the size; what a GPU or a phone's NPU computes in anyway."""

from __future__ import annotations

import numpy as np
from onnxscript import ir
from onnxscript.ir.passes.common import RemoveUnusedNodesPass

from fas_plugins.exporters.preprocessing import preprocessing

FULL, HALF = ir.DataType.FLOAT, ir.DataType.FLOAT16


def to_half(model: ir.Model) -> None:
    """Turn weights and activations into float16, in place.

    Normalisation stays in float32, for a pixel's shift and scale are then exact, and so does the softmax.
    Inputs stay bytes and outputs float32.
    """
    graph = model.graph
    exact = {*preprocessing(graph), *(node for node in graph if node.op_type == "Softmax")}
    casts: dict[tuple[ir.Value, ir.DataType], ir.Value] = {}
    for node in list(graph):
        wanted, other = (FULL, HALF) if node in exact else (HALF, FULL)
        for index, value in enumerate(node.inputs):
            if value is not None and value.dtype == other:
                node.replace_input_with(index, _as(graph, value, wanted, casts))
        if node not in exact:
            _halve(node)
    for index, value in enumerate(graph.outputs):
        if value.dtype == HALF:
            name = value.name
            value.name = f"{name}.half"
            graph.outputs[index] = _cast(graph, value, FULL, str(name))
    RemoveUnusedNodesPass()(model)


def _halve(node: ir.Node) -> None:
    for value in node.outputs:
        if value.dtype == FULL:
            value.dtype = HALF
    if node.op_type == "Cast" and node.attributes["to"].as_int() == FULL:
        node.attributes["to"] = ir.AttrInt64("to", HALF)


def _as(
    graph: ir.Graph, value: ir.Value, kind: ir.DataType, made: dict[tuple[ir.Value, ir.DataType], ir.Value]
) -> ir.Value:
    """A value in another precision, made once."""
    if (value, kind) not in made:
        name = f"{value.name}.{kind.name.lower()}"
        stored = value.const_value
        made[value, kind] = (
            _cast(graph, value, kind, name) if stored is None else _constant(graph, stored, name)
        )
    return made[value, kind]


def _constant(graph: ir.Graph, stored: ir.TensorProtocol, name: str) -> ir.Value:
    halved = stored.numpy().astype(np.float16)
    tensor = ir.tensor(halved, name=name)
    value = ir.Value(name=name, shape=ir.Shape(halved.shape), type=ir.TensorType(HALF), const_value=tensor)
    graph.register_initializer(value)
    return value


def _cast(graph: ir.Graph, value: ir.Value, kind: ir.DataType, name: str) -> ir.Value:
    node = ir.node("Cast", [value], {"to": ir.AttrInt64("to", kind)}, name=f"cast.{name}")
    node.outputs[0].name, node.outputs[0].shape = name, value.shape
    node.outputs[0].type = ir.TensorType(kind)
    producer = value.producer()
    assert producer is not None  # inputs are bytes or bool
    graph.insert_after(producer, node)
    return node.outputs[0]
