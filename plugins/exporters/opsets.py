"""A graph in another version of ONNX's operators, for runtimes that are older or newer than opset 18.

onnx's own converter goes up. Going down it lacks most operators of these graphs, although they differ in
little: newer versions allow more types, take axes as an input that were an attribute, or have attributes
that do nothing at their defaults. These nodes are rewritten here; any other difference is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import defs, helper, numpy_helper, version_converter

from fas_core.errors import ConfigError

SOFTMAX = ("Softmax", "LogSoftmax")
"""Before opset 13 these flatten all dimensions from `axis` on into one."""

Constants = Mapping[str, onnx.TensorProto]


def convert_opset(proto: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """Return the graph in an operator set, with the oldest format version that allows it.

    Raises:
        ConfigError: an operator of the graph has no equal there; the message names the lowest opset possible.
    """
    current = _read_opset(proto)
    if opset > current:
        if opset > defs.onnx_opset_version():
            raise ConfigError(
                f"opset {opset}: the installed onnx knows opsets up to {defs.onnx_opset_version()}"
            )
        converted = version_converter.convert_version(proto, opset)
    else:
        converted = _lower(proto, opset)
    converted.ir_version = helper.find_min_ir_version_for(converted.opset_import)
    return converted


def _read_opset(proto: onnx.ModelProto) -> int:
    return next(int(entry.version) for entry in proto.opset_import if entry.domain in ("", "ai.onnx"))


def _lower(proto: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    current = _read_opset(proto)
    failures: dict[int, str] = {}
    for candidate in range(opset, current + 1):
        try:
            lowered = _rewrite_nodes(proto, current, candidate)
        except ConfigError as error:
            failures[candidate] = error.message
            continue
        if failures:
            raise ConfigError(
                f"opset {opset} is too old for this graph, {candidate} is its oldest: {failures[opset]}"
            )
        return lowered
    raise AssertionError("the graph is in its own opset")


def _rewrite_nodes(proto: onnx.ModelProto, current: int, opset: int) -> onnx.ModelProto:
    """Return a copy in an older operator set; raise ConfigError for a node that has no equal there."""
    copied = onnx.ModelProto()
    copied.CopyFrom(proto)
    for entry in copied.opset_import:
        entry.version = opset if entry.domain in ("", "ai.onnx") else entry.version
    graph = copied.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    ranks = _read_ranks(proto)
    for node in graph.node:
        if node.domain not in ("", "ai.onnx"):
            continue
        newer = defs.get_schema(node.op_type, current)
        try:
            older = defs.get_schema(node.op_type, opset)
        except defs.SchemaError as error:
            problem = f"{node.op_type} is an operator of opset {newer.since_version}"
            raise ConfigError(problem) from error
        if older.since_version != newer.since_version:
            _move_axes(node, older, constants)
            _drop_attributes(node, newer, older)
            _fill_inputs(graph, node, older)
            _check_softmax(node, opset, ranks)
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
    return copied


def _read_ranks(proto: onnx.ModelProto) -> dict[str, int]:
    """Return the number of dimensions of values by name."""
    graph = onnx.shape_inference.infer_shapes(proto).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    return {value.name: len(value.type.tensor_type.shape.dim) for value in values}


def _move_axes(node: onnx.NodeProto, older: defs.OpSchema, constants: Constants) -> None:
    """Make constant axes, which are the second input, an attribute."""
    if "axes" not in older.attributes or len(node.input) < 2:
        return
    axes = constants.get(node.input[1])
    if axes is None:
        raise ConfigError(f"{node.op_type} has axes that are not constant")
    del node.input[1]
    node.attribute.append(helper.make_attribute("axes", numpy_helper.to_array(axes).tolist()))


def _drop_attributes(node: onnx.NodeProto, newer: defs.OpSchema, older: defs.OpSchema) -> None:
    """Drop attributes that the older operator lacks, if they are at their defaults."""
    for attribute in list(node.attribute):
        if attribute.name in older.attributes:
            continue
        default = newer.attributes[attribute.name].default_value
        if helper.get_attribute_value(attribute) != helper.get_attribute_value(default):
            raise ConfigError(f"{node.op_type} has no {attribute.name} in opset {older.since_version}")
        node.attribute.remove(attribute)


def _fill_inputs(graph: onnx.GraphProto, node: onnx.NodeProto, older: defs.OpSchema) -> None:
    """Give required inputs that are optional in newer operators an empty value."""
    if len(node.input) > older.max_input:
        raise ConfigError(f"{node.op_type} has fewer inputs in opset {older.since_version}")
    for index, declared in enumerate(older.inputs[: len(node.input)]):
        if not node.input[index] and declared.option == defs.OpSchema.FormalParameterOption.Single:
            node.input[index] = f"{node.name}.{declared.name}"
            graph.initializer.append(numpy_helper.from_array(np.zeros(0, np.float32), node.input[index]))


def _check_softmax(node: onnx.NodeProto, opset: int, ranks: Mapping[str, int]) -> None:
    if node.op_type not in SOFTMAX or opset >= 13:
        return
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), -1)
    rank = ranks[node.input[0]]
    if axis % rank != rank - 1:
        raise ConfigError(f"{node.op_type} along an inner axis is an operator of opset 13")
    del node.attribute[:]
    node.attribute.append(helper.make_attribute("axis", rank - 1))
