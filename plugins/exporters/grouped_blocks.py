"""Blocks around a convolution with narrow groups, such as MobileLiteNet's, and nodes to replace them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen
from onnxscript import ir

from fas_plugins.exporters.graph import (
    Array,
    add_constant,
    count_groups,
    get_only_reader,
    is_pointwise,
    read_bias,
    read_constant,
)

WIDEST = 8
"""Channels of a group; wider groups fill an engine's vectors as they are."""

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


def find_grouped_blocks(graph: ir.Graph) -> list[GroupedBlock]:
    """Return the blocks around convolutions with groups of 2 to `WIDEST` channels, as many in as out."""
    return [block for node in graph if (block := _find_block(node)) is not None]


def replace_block(graph: ir.Graph, block: GroupedBlock, nodes: NewNodes, joined: ir.Value) -> None:
    """Replace all of a block before `project`, which reads `joined`, the output of the new nodes, instead."""
    graph.insert_before(block.project, nodes.nodes)
    block.project.replace_input_with(0, joined)
    replaced = block.expand, *block.expand_activations, block.grouped, *block.grouped_activations
    for node in reversed(replaced):
        graph.remove(node, safe=True)


class NewNodes:
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

    def add_expand(self, block: GroupedBlock, rows: slice) -> ir.Value:
        """Add a block's first convolution and activations for some of its output channels."""
        weight, bias = read_constant(block.expand.inputs[1]), read_bias(block.expand)
        selected = None if bias is None else bias[rows]
        x = self.add_conv(block.expand, block.expand.inputs[0], weight[rows], selected)
        return self.add_activations(x, block.expand_activations)


def _find_block(node: ir.Node) -> GroupedBlock | None:
    if not _has_narrow_groups(node):
        return None
    before, expand = _follow_activations(node, _get_producer)
    after, project = _follow_activations(node, get_only_reader)
    if expand is None or project is None or not (is_pointwise(expand) and is_pointwise(project)):
        return None
    if any(get_only_reader(earlier) is None for earlier in (expand, *before)):
        return None
    return GroupedBlock(expand, before[::-1], node, after, project)


def _has_narrow_groups(node: ir.Node) -> bool:
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
