"""Rewriting nodes that some runtimes cannot read into nodes that all of them read, with equal results.

OpenCV's DNN module reads one axis at a time in `Unsqueeze`, no sizes that are computed in the graph, and
fixes the batch size of some nodes to 1 when it reads a file; a depth-wise convolution of a map of 1 x 1 gets
wrong values there (4.14.0). Attributes of recent opsets do not exist in older ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnxscript import ir

from fas_plugins.exporters.graph import add_constant, add_sizes, read_constant

RESHAPING = ("Unsqueeze", "Squeeze", "Flatten", "Reshape")

NEW_RESIZE_ATTRIBUTES = ("antialias", "axes", "keep_aspect_ratio_policy")
"""Attributes of `Resize` that opset 18 introduced; at their defaults they do nothing."""


def make_portable(model: ir.Model) -> None:
    """Rewrite the nodes of a graph, in place.

    - `Unsqueeze`, `Squeeze`, `Flatten` and `Reshape` become `Reshape` to a constant shape;
    - `Gather` of one constant index becomes `Slice` and `Reshape`;
    - `Resize` gets constant scales instead of computed sizes;
    - a padded `Conv` of a map of 1 x 1 gets a kernel of 1 x 1, the only weight that meets the map.

    Nodes with more than one unknown size stay as they are.
    """
    for node in list(model.graph):
        if node.op_type in RESHAPING:
            _rewrite_as_reshape(model.graph, node)
        elif node.op_type == "Gather":
            _rewrite_as_slice(model.graph, node)
        elif node.op_type == "Resize":
            _set_scales(model.graph, node)
        elif node.op_type == "Conv":
            _crop_kernel(model.graph, node)


def _rewrite_as_reshape(graph: ir.Graph, node: ir.Node) -> None:
    shape = _read_shape(node.outputs[0])
    if shape is not None and shape.count(-1) <= 1 and 0 not in shape:
        _replace(graph, node, [_build_reshape(graph, node, node.inputs[0], shape)])


def _rewrite_as_slice(graph: ir.Graph, node: ir.Node) -> None:
    index, shape = node.inputs[1], _read_shape(node.outputs[0])
    if index is None or index.const_value is None or shape is None or shape.count(-1) > 1:
        return
    start = index.const_value.numpy()
    if start.ndim:
        return
    end = int(start) + 1 or np.iinfo(np.int64).max  # -1 is the last
    axis = node.attributes["axis"].as_int() if "axis" in node.attributes else 0
    name = node.outputs[0].name
    bounds = {"start": int(start), "end": end, "axis": axis}
    sliced = ir.node(
        "Slice",
        [node.inputs[0], *(add_sizes(graph, f"{name}.{key}", [value]) for key, value in bounds.items())],
        name=f"{node.name}.slice",
    )
    _replace(graph, node, [sliced, _build_reshape(graph, node, sliced.outputs[0], shape)])


def _build_reshape(graph: ir.Graph, node: ir.Node, value: ir.Value | None, shape: Sequence[int]) -> ir.Node:
    """Return a node that gives a value the shape of another node's output; -1 is the unknown size."""
    sizes = add_sizes(graph, f"{node.outputs[0].name}.shape", shape)
    return ir.node("Reshape", [value, sizes], name=f"{node.name}.reshape")


def _set_scales(graph: ir.Graph, node: ir.Node) -> None:
    """Replace the sizes of a `Resize` by the constant scales of the last two dimensions."""
    before, after = _read_shape(node.inputs[0]), _read_shape(node.outputs[0])
    if before is None or after is None or len(before) != 4 or -1 in before[2:] + after[2:]:
        return
    scales = np.array(
        [1, 1, *(new / old for old, new in zip(before[2:], after[2:], strict=True))], np.float32
    )
    if (np.floor(scales[2:] * before[2:]) != after[2:]).any():  # the operator rounds down
        return
    node.resize_inputs(3)
    node.replace_input_with(2, add_constant(graph, f"{node.outputs[0].name}.scales", scales))
    for name in NEW_RESIZE_ATTRIBUTES:
        node.attributes.pop(name, None)


def _crop_kernel(graph: ir.Graph, node: ir.Node) -> None:
    """Drop the weights of a convolution that only ever meet the padding of a map of 1 x 1."""
    before, after = _read_shape(node.inputs[0]), _read_shape(node.outputs[0])
    pads, weight = node.attributes.get("pads"), node.inputs[1]
    if before is None or after is None or before[2:] != [1, 1] or after[2:] != [1, 1] or pads is None:
        return
    if weight is None or weight.const_value is None or not any(pads.as_ints()):
        return
    dilations = node.attributes["dilations"].as_ints() if "dilations" in node.attributes else (1, 1)
    rows = [pad / dilation for pad, dilation in zip(pads.as_ints()[:2], dilations, strict=True)]
    row, column = map(int, rows)
    if [row, column] != rows:
        return
    values = read_constant(weight)[:, :, row : row + 1, column : column + 1]
    node.replace_input_with(1, add_constant(graph, f"{node.name}.weight", values))
    for name, size in (
        ("kernel_shape", [1, 1]),
        ("pads", [0] * 4),
        ("strides", [1, 1]),
        ("dilations", [1, 1]),
    ):
        node.attributes[name] = ir.AttrInt64s(name, size)


def _read_shape(value: ir.Value | None) -> list[int] | None:
    """Return a value's shape with -1 for unknown sizes, None if not even its rank is known."""
    if value is None or value.shape is None:
        return None
    return [size if isinstance(size, int) else -1 for size in value.shape]


def _replace(graph: ir.Graph, node: ir.Node, nodes: Sequence[ir.Node]) -> None:
    """Replace a node by others; the output of the last becomes the node's."""
    ir.convenience.replace_nodes_and_values(graph, node, [node], nodes, node.outputs, nodes[-1].outputs)
