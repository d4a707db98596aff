"""Convolutions whose groups are a few channels wide, such as MobileLiteNet's: the same as depth-wise ones.

onnxruntime computes a convolution in vectors of sixteen channels where it is depth-wise or its groups are as
wide as that; any other falls back to a matrix product for each group. But output k of every group is a sum
over j of a depth-wise convolution of "input j of every group", and a point-wise convolution before can give
exactly those channels as a tensor of its own, for nothing: its output channels are ours to arrange. OpenVINO
does not need that: it is a little slower so.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from onnxscript import ir

from fas_plugins.exporters.graph import array, bias, constant, group_count, pointwise

WIDEST = 8
"""Channels of a group; beyond that the sums are many, and groups are less slow."""

ACTIVATIONS = ("Clip", "Relu")

Array = NDArray[np.float64]


@frozen(eq=False)
class Site:
    """A convolution with narrow groups between two point-wise ones, with activations between them."""

    expand: ir.Node
    before: list[ir.Node]
    grouped: ir.Node
    after: list[ir.Node]
    project: ir.Node


def split_groups(model: ir.Model) -> int:
    """Replace every such convolution by depth-wise ones, in place; equal up to the order of summation.

    Returns:
        How many were replaced.
    """
    sites = [site for node in model.graph if (site := _site(node)) is not None]
    for site in sites:
        _split(model.graph, site)
    return len(sites)


def _site(grouped: ir.Node) -> Site | None:
    if grouped.op_type != "Conv":
        return None
    groups, weight = group_count(grouped), grouped.inputs[1].const_value if grouped.inputs[1] else None
    if groups == 1 or weight is None:
        return None
    outputs, width = weight.numpy().shape[:2]
    if outputs != groups * width or not 2 <= width <= WIDEST:
        return None
    before, expand = _chain(grouped, lambda node: node.inputs[0].producer() if node.inputs[0] else None)
    after, project = _chain(grouped, _only_reader)
    if expand is None or project is None or not (pointwise(expand) and pointwise(project)):
        return None
    single = all(_only_reader(node) is not None for node in (expand, *before))
    return Site(expand, before[::-1], grouped, after, project) if single else None


def _chain(node: ir.Node, step: Callable[[ir.Node], ir.Node | None]) -> tuple[list[ir.Node], ir.Node | None]:
    """The activations that follow in one direction, and the node behind them."""
    found: list[ir.Node] = []
    following = step(node)
    while following is not None and following.op_type in ACTIVATIONS:
        found.append(following)
        following = step(following)
    return found, following


def _only_reader(node: ir.Node) -> ir.Node | None:
    """The one node that reads what this one gives, as its first input."""
    value = node.outputs[0]
    readers = list(value.uses())
    if value.is_graph_output() or len(readers) != 1 or readers[0].idx != 0:
        return None
    return readers[0].node


def _split(graph: ir.Graph, site: Site) -> None:
    grouped, groups, weight = site.grouped, group_count(site.grouped), array(site.grouped.inputs[1])
    width = weight.shape[1]
    every = [slice(place, None, width) for place in range(width)]  # channel `place` of every group
    nodes: list[ir.Node] = []

    def add(node: ir.Node) -> ir.Value:
        nodes.append(node)
        return node.outputs[0]

    def activated(value: ir.Value, activations: list[ir.Node]) -> ir.Value:
        for node in activations:
            value = add(ir.node(node.op_type, [value, *node.inputs[1:]], attributes=dict(node.attributes)))
        return value

    expanded, before = array(site.expand.inputs[1]), bias(site.expand)
    given = [
        activated(
            add(_conv(graph, site.expand, site.expand.inputs[0], expanded[rows], _rows(before, rows))),
            site.before,
        )
        for rows in every
    ]
    outputs = []
    for rows in every:
        parts = [
            # The bias goes with the first, so that it is added once.
            add(
                _conv(
                    graph,
                    grouped,
                    x,
                    weight[rows, j : j + 1],
                    _rows(bias(grouped), rows) if j == 0 else None,
                    groups,
                )
            )
            for j, x in enumerate(given)
        ]
        total = parts[0]
        for part in parts[1:]:
            total = add(ir.node("Add", [part, total]))
        outputs.append(activated(total, site.after))
    joined = add(ir.node("Concat", outputs, attributes={"axis": 1}))
    graph.insert_before(site.project, nodes)
    order = np.arange(groups * width).reshape(groups, width).T.ravel()
    projected = array(site.project.inputs[1])[:, order]
    site.project.replace_input_with(0, joined)
    site.project.replace_input_with(1, constant(graph, f"{joined.name}.project", projected))
    for node in (*reversed(site.after), grouped, *reversed(site.before), site.expand):
        graph.remove(node, safe=True)


def _conv(
    graph: ir.Graph, like: ir.Node, x: ir.Value | None, weight: Array, bias: Array | None, groups: int = 1
) -> ir.Node:
    """A convolution with another's stride and padding."""
    name = f"{like.name}.{len(graph.initializers)}"
    constants = [constant(graph, f"{name}.weight", weight)]
    constants += [] if bias is None else [constant(graph, f"{name}.bias", bias)]
    return ir.node("Conv", [x, *constants], attributes=dict(like.attributes) | {"group": groups})


def _rows(values: Array | None, rows: slice) -> Array | None:
    return None if values is None else values[rows]
