"""Replacing convolutions whose groups are a few channels wide, such as MobileLiteNet's, by depth-wise ones.

onnxruntime vectorizes a convolution over sixteen channels where it is depth-wise or its groups are that
wide; any other becomes a matrix product for each group. But channel k of every group of the output is a sum
over j of depth-wise convolutions of "channel j of every group" of the input, and a preceding point-wise
convolution can compute exactly those channels as a separate tensor at no extra cost. OpenVINO does not need
this: it becomes a little slower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen
from onnxscript import ir

from fas_plugins.exporters.graph import (
    Array,
    add_constant,
    count_groups,
    is_pointwise,
    read_bias,
    read_constant,
)

WIDEST = 8
"""Channels of a group; in wider groups the sums have many terms, and grouped convolutions are less slow."""

ACTIVATIONS = ("Clip", "Relu")


@frozen(eq=False)
class GroupedBlock:
    """A convolution with narrow groups between two point-wise ones.

    Args:
        expand: the point-wise convolution before.
        expand_activations: activations between `expand` and `grouped`, in order.
        grouped: the convolution with narrow groups.
        grouped_activations: activations between `grouped` and `project`, in order.
        project: the point-wise convolution after.
    """

    expand: ir.Node
    expand_activations: list[ir.Node]
    grouped: ir.Node
    grouped_activations: list[ir.Node]
    project: ir.Node


def split_grouped_convolutions(model: ir.Model) -> int:
    """Replace every such convolution by depth-wise ones, in place; equal up to the order of summation.

    Returns:
        The number of convolutions replaced.
    """
    blocks = [block for node in model.graph if (block := _find_block(node)) is not None]
    for block in blocks:
        _split(model.graph, block)
    return len(blocks)


def _find_block(node: ir.Node) -> GroupedBlock | None:
    """Return the block around a convolution with narrow groups, if it has the form that can be split."""
    if not _has_narrow_groups(node):
        return None
    before, expand = _follow_activations(node, _get_producer)
    after, project = _follow_activations(node, _get_only_reader)
    if expand is None or project is None or not (is_pointwise(expand) and is_pointwise(project)):
        return None
    if any(_get_only_reader(earlier) is None for earlier in (expand, *before)):
        return None
    return GroupedBlock(expand, before[::-1], node, after, project)


def _has_narrow_groups(node: ir.Node) -> bool:
    """Whether a node is a convolution with groups of 2 to `WIDEST` channels, as many in as out."""
    weight = node.inputs[1].const_value if node.op_type == "Conv" and node.inputs[1] else None
    if weight is None or (groups := count_groups(node)) == 1:
        return False
    outputs, width = weight.numpy().shape[:2]
    return bool(outputs == groups * width and 2 <= width <= WIDEST)


def _follow_activations(
    node: ir.Node, step: Callable[[ir.Node], ir.Node | None]
) -> tuple[list[ir.Node], ir.Node | None]:
    """Return the activations next to a node in the direction of `step`, and the first other node."""
    activations: list[ir.Node] = []
    following = step(node)
    while following is not None and following.op_type in ACTIVATIONS:
        activations.append(following)
        following = step(following)
    return activations, following


def _get_producer(node: ir.Node) -> ir.Node | None:
    """Return the node that computes the first input."""
    return node.inputs[0].producer() if node.inputs[0] else None


def _get_only_reader(node: ir.Node) -> ir.Node | None:
    """Return the one node that reads the output, as its first input; None if there are others."""
    value = node.outputs[0]
    readers = list(value.uses())
    if value.is_graph_output() or len(readers) != 1 or readers[0].idx != 0:
        return None
    return readers[0].node


def _split(graph: ir.Graph, block: GroupedBlock) -> None:
    """Replace a block, in place."""
    groups, width = count_groups(block.grouped), read_constant(block.grouped.inputs[1]).shape[1]
    channels = [slice(index, None, width) for index in range(width)]  # channel `index` of every group
    nodes = _NewNodes(graph)
    inputs = [
        nodes.add_activations(_add_expand(nodes, block.expand, rows), block.expand_activations)
        for rows in channels
    ]
    outputs = [
        nodes.add_activations(
            _add_depthwise_sum(nodes, block.grouped, inputs, rows), block.grouped_activations
        )
        for rows in channels
    ]
    joined = nodes.add("Concat", outputs, {"axis": 1})
    graph.insert_before(block.project, nodes.nodes)
    order = np.arange(groups * width).reshape(groups, width).T.ravel()
    weight = read_constant(block.project.inputs[1])[:, order]
    block.project.replace_input_with(0, joined)
    block.project.replace_input_with(1, add_constant(graph, f"{joined.name}.project", weight))
    replaced = block.expand, *block.expand_activations, block.grouped, *block.grouped_activations
    for node in reversed(replaced):
        graph.remove(node, safe=True)


class _NewNodes:
    """Nodes to insert into a graph, in order; each method returns the output of the last node it adds."""

    def __init__(self, graph: ir.Graph) -> None:
        self.graph = graph
        self.nodes: list[ir.Node] = []

    def add(
        self, kind: str, inputs: Sequence[ir.Value | None], attributes: Mapping[str, Any] | None = None
    ) -> ir.Value:
        node = ir.node(kind, inputs, attributes=attributes)
        self.nodes.append(node)
        return node.outputs[0]

    def add_conv(
        self, like: ir.Node, x: ir.Value | None, weight: Array, bias: Array | None, groups: int = 1
    ) -> ir.Value:
        """Add a convolution with the stride and padding of another."""
        name = f"{like.name}.{len(self.graph.initializers)}"
        constants = [add_constant(self.graph, f"{name}.weight", weight)]
        if bias is not None:
            constants.append(add_constant(self.graph, f"{name}.bias", bias))
        return self.add("Conv", [x, *constants], dict(like.attributes) | {"group": groups})

    def add_activations(self, x: ir.Value, activations: Sequence[ir.Node]) -> ir.Value:
        """Add copies of activations, one after another."""
        for node in activations:
            x = self.add(node.op_type, [x, *node.inputs[1:]], dict(node.attributes))
        return x


def _add_expand(nodes: _NewNodes, expand: ir.Node, rows: slice) -> ir.Value:
    """Add the point-wise convolution for some of its output channels."""
    weight, bias = read_constant(expand.inputs[1]), read_bias(expand)
    return nodes.add_conv(expand, expand.inputs[0], weight[rows], None if bias is None else bias[rows])


def _add_depthwise_sum(
    nodes: _NewNodes, grouped: ir.Node, inputs: Sequence[ir.Value], rows: slice
) -> ir.Value:
    """Add the depth-wise convolutions of all inputs that sum to one output channel of every group."""
    weight, bias = read_constant(grouped.inputs[1])[rows], read_bias(grouped)
    terms = [
        # The bias goes with the first term, so that it is added once.
        nodes.add_conv(
            grouped,
            x,
            weight[:, index : index + 1],
            bias[rows] if bias is not None and index == 0 else None,
            count_groups(grouped),
        )
        for index, x in enumerate(inputs)
    ]
    total = terms[0]
    for term in terms[1:]:
        total = nodes.add("Add", [term, total])
    return total
