"""Replacing convolutions whose groups are a few channels wide, such as MobileLiteNet's, for onnxruntime.

onnxruntime vectorizes a convolution over sixteen channels where it is dense or depth-wise; any other becomes
a matrix product for each group.

In float32 they become depth-wise: channel k of every group of the output is a sum over j of depth-wise
convolutions of "channel j of every group" of the input, and a preceding point-wise convolution can compute
exactly those channels as a separate tensor at no extra cost.

In int8 each of these many small results would be rounded and added one by one. There, some groups together
become a dense convolution, most of whose weights are zero: with VNNI, 64 products are one instruction.

OpenVINO needs neither: depth-wise convolutions make it a little slower.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnxscript import ir

from fas_plugins.exporters.graph import Array, add_constant, count_groups, read_bias, read_constant
from fas_plugins.exporters.grouped_blocks import GroupedBlock, NewNodes, find_grouped_blocks, replace_block

DENSE_WIDTH = 48
"""Most channels of a dense convolution; MobileLiteNet54 takes 1.04 times as long with 24, 1.4 with 96."""


def split_grouped_convolutions(model: ir.Model) -> int:
    """Replace every such convolution by depth-wise ones, in place; equal up to the order of summation.

    Returns:
        The number of convolutions replaced.
    """
    blocks = find_grouped_blocks(model.graph)
    for block in blocks:
        _split(model.graph, block)
    return len(blocks)


def merge_groups(model: ir.Model) -> int:
    """Replace every such convolution by dense ones of at most `DENSE_WIDTH` channels, in place.

    Returns:
        The number of convolutions replaced.
    """
    blocks = find_grouped_blocks(model.graph)
    for block in blocks:
        _merge(model.graph, block)
    return len(blocks)


def _split(graph: ir.Graph, block: GroupedBlock) -> None:
    groups, width = count_groups(block.grouped), read_constant(block.grouped.inputs[1]).shape[1]
    channels = [slice(index, None, width) for index in range(width)]  # channel `index` of every group
    nodes = NewNodes(graph)
    inputs = [nodes.add_expand(block, rows) for rows in channels]
    outputs = [
        nodes.add_activations(
            _add_depthwise_sum(nodes, block.grouped, inputs, rows), block.grouped_activations
        )
        for rows in channels
    ]
    joined = nodes.add("Concat", outputs, {"axis": 1})
    order = np.arange(groups * width).reshape(groups, width).T.ravel()
    weight = read_constant(block.project.inputs[1])[:, order]
    replace_block(graph, block, nodes, joined)
    block.project.replace_input_with(1, add_constant(graph, f"{joined.name}.project", weight))


def _add_depthwise_sum(
    nodes: NewNodes, grouped: ir.Node, inputs: Sequence[ir.Value], rows: slice
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


def _merge(graph: ir.Graph, block: GroupedBlock) -> None:
    weight, bias = read_constant(block.grouped.inputs[1]), read_bias(block.grouped)
    groups, width = count_groups(block.grouped), weight.shape[1]
    merged = max(n for n in range(1, groups + 1) if groups % n == 0 and n * width <= DENSE_WIDTH)
    nodes, outputs = NewNodes(graph), []
    for start in range(0, groups * width, merged * width):
        rows = slice(start, start + merged * width)
        x = nodes.add_conv(
            block.grouped,
            nodes.add_expand(block, rows),
            _fill_diagonal(weight[rows]),
            None if bias is None else bias[rows],
        )
        outputs.append(nodes.add_activations(x, block.grouped_activations))
    joined = nodes.add("Concat", outputs, {"axis": 1}) if len(outputs) > 1 else outputs[0]
    replace_block(graph, block, nodes, joined)


def _fill_diagonal(weight: Array) -> Array:
    """Return the weight of a dense convolution, (O, O, k, k), for that of a grouped one, (O, width, k, k)."""
    count, width, *kernel = weight.shape
    dense = np.zeros((count, count, *kernel))
    for start in range(0, count, width):
        group = slice(start, start + width)
        dense[group, group] = weight[group]
    return dense
