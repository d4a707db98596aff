"""A graph in float16: half the size, and the precision that GPUs and phones' NPUs compute in."""

from __future__ import annotations

import numpy as np
from onnxscript import ir
from onnxscript.ir.passes.common import RemoveUnusedNodesPass

from fas_plugins.exporters.graph import find_novelty, find_preprocessing

FLOAT32, FLOAT16 = ir.DataType.FLOAT, ir.DataType.FLOAT16

Casts = dict[tuple[ir.Value, ir.DataType], ir.Value]
"""Values in the other precision, so that each is cast once."""


def convert_to_float16(model: ir.Model) -> None:
    """Convert weights and activations to float16, in place.

    Normalisation stays in float32, so that the shift and scale of pixels are exact, and so do the softmax and
    the novelty, whose squares float16 cannot hold.
    Inputs stay bytes and outputs float32.
    """
    graph = model.graph
    softmax = (node for node in graph if node.op_type == "Softmax")
    float32_nodes = {*find_preprocessing(graph), *softmax, *find_novelty(graph)}
    casts: Casts = {}
    for node in list(graph):
        target, other = (FLOAT32, FLOAT16) if node in float32_nodes else (FLOAT16, FLOAT32)
        for index, value in enumerate(node.inputs):
            if value is not None and value.dtype == other:
                node.replace_input_with(index, _convert_value(graph, value, target, casts))
        if node not in float32_nodes:
            _convert_outputs(node)
    for index, value in enumerate(graph.outputs):
        if value.dtype == FLOAT16:
            name = value.name
            value.name = f"{name}.half"
            graph.outputs[index] = _add_cast(graph, value, FLOAT32, str(name))
    RemoveUnusedNodesPass()(model)


def _convert_outputs(node: ir.Node) -> None:
    """Declare a node's float32 outputs as float16."""
    for value in node.outputs:
        if value.dtype == FLOAT32:
            value.dtype = FLOAT16
    if node.op_type == "Cast" and node.attributes["to"].as_int() == FLOAT32:
        node.attributes["to"] = ir.AttrInt64("to", FLOAT16)


def _convert_value(graph: ir.Graph, value: ir.Value, kind: ir.DataType, casts: Casts) -> ir.Value:
    """Return a value in another precision: a constant for a constant, else the output of a cast."""
    if (value, kind) not in casts:
        name = f"{value.name}.{kind.name.lower()}"
        constant = value.const_value
        casts[value, kind] = (
            _add_cast(graph, value, kind, name)
            if constant is None
            else _add_float16_constant(graph, constant, name)
        )
    return casts[value, kind]


def _add_float16_constant(graph: ir.Graph, constant: ir.TensorProtocol, name: str) -> ir.Value:
    values = constant.numpy().astype(np.float16)
    tensor = ir.tensor(values, name=name)
    value = ir.Value(name=name, shape=ir.Shape(values.shape), type=ir.TensorType(FLOAT16), const_value=tensor)
    graph.register_initializer(value)
    return value


def _add_cast(graph: ir.Graph, value: ir.Value, kind: ir.DataType, name: str) -> ir.Value:
    node = ir.node("Cast", [value], {"to": ir.AttrInt64("to", kind)}, name=f"cast.{name}")
    node.outputs[0].name, node.outputs[0].shape = name, value.shape
    node.outputs[0].type = ir.TensorType(kind)
    producer = value.producer()
    assert producer is not None  # inputs are bytes or bool
    graph.insert_after(producer, node)
    return node.outputs[0]
