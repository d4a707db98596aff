"""Columns of an image as channels of its first convolution, for int8 in onnxruntime.

onnxruntime's 8-bit convolutions are fast for multiples of four channels, and slow for three. Four columns of
three channels are twelve, and they lie in memory one after another: a convolution with stride 2 becomes one
that computes two columns of its output at a time. It multiplies 2.7 times as much in half the time.
"""

from __future__ import annotations

import numpy as np
from onnxscript import ir

from fas_plugins.exporters.byte_stems import ByteStem
from fas_plugins.exporters.graph import (
    Array,
    add_sizes,
    count_groups,
    get_only_reader,
    read_bias,
    read_constant,
    read_sizes,
    set_weights,
)

COLUMNS = 4
"""Columns of the image that become channels."""


def group_columns(graph: ir.Graph, stem: ByteStem) -> None:
    """Make four columns of the image channels, and two columns of the output, where the convolution fits.

    Output columns 2 j and 2 j + 1 then read the groups of columns j - 1 and j.
    """
    conv, transpose = stem.conv, stem.pixels.producer()
    if transpose is None or transpose.op_type != "Transpose" or get_only_reader(transpose) is not stem.cast:
        return
    pixels = transpose.inputs[0]
    sizes = _read_map_sizes(pixels), _read_map_sizes(conv.outputs[0])
    if pixels is None or sizes[0] is None or sizes[1] is None or not _fits(conv, sizes[0], sizes[1]):
        return
    (height, width, channels), (count, out_height, out_width) = sizes[0], sizes[1]
    weight, bias = read_constant(conv.inputs[1]), read_bias(conv)
    top, left, bottom, _ = conv.attributes["pads"].as_ints()
    kernel = _spread_kernel(weight, left)
    assert bias is not None  # the normalisation's
    set_weights(graph, conv, kernel, np.tile(bias, 2))
    for name, values in (
        ("kernel_shape", kernel.shape[2:]),
        ("strides", (2, 1)),
        ("pads", (top, 1, bottom, 0)),
    ):
        conv.attributes[name] = ir.AttrInt64s(name, values)

    grouped = (height, width // COLUMNS, COLUMNS * channels)
    reshape = _build_reshape(graph, pixels, grouped, f"{conv.name}.columns")
    graph.insert_before(transpose, reshape)
    transpose.replace_input_with(0, reshape.outputs[0])
    for node in (transpose, stem.cast, stem.centre):
        node.outputs[0].shape = _build_shape(pixels, (grouped[2], *grouped[:2]))
    _separate_columns(graph, conv, (count, out_height, out_width))


def _spread_kernel(weight: Array, left: int) -> Array:
    """(O, C, k, k) -> (2 O, 4 C, k, 2): two columns of outputs that read two groups of columns.

    Args:
        left: columns of padding.
    """
    count, channels, height, width = weight.shape
    columns = np.zeros((2, count, channels, height, 2 * COLUMNS))
    for index in range(2):
        start = COLUMNS - left + 2 * index
        columns[index, ..., start : start + width] = weight
    groups = columns.reshape(2 * count, channels, height, 2, COLUMNS).transpose(0, 4, 1, 2, 3)
    return groups.reshape(2 * count, COLUMNS * channels, height, 2)


def _fits(conv: ir.Node, image: tuple[int, ...], output: tuple[int, ...]) -> bool:
    """Whether a convolution of stride 2 reads two groups of columns for two columns of its output."""
    pads, kernel = read_sizes(conv, "pads", ()), read_sizes(conv, "kernel_shape", ())
    return (
        len(pads) == 4
        and len(kernel) == 2
        and read_sizes(conv, "strides", (1, 1)) == [2, 2]
        and read_sizes(conv, "dilations", (1, 1)) == [1, 1]
        and count_groups(conv) == 1
        and image[1] % COLUMNS == 0
        and output[2] == image[1] // 2
        and 1 <= pads[1] <= COLUMNS
        and COLUMNS - pads[1] + 2 + kernel[1] <= 2 * COLUMNS
    )


def _separate_columns(graph: ir.Graph, conv: ir.Node, sizes: tuple[int, int, int]) -> None:
    """Make (B, C, H, W) of what the convolution and its activation now give as (B, 2 C, H, W / 2)."""
    count, height, width = sizes
    reader = get_only_reader(conv)
    last = reader if reader is not None and reader.op_type in ("Clip", "Relu") else conv
    value, name = last.outputs[0], f"{conv.name}.separate"
    uses = list(value.uses())
    for node in {conv, last}:
        node.outputs[0].shape = _build_shape(value, (2 * count, height, width // 2))
    rows = _build_transpose(value, (0, 2, 3, 1), (height, width // 2, 2 * count), f"{name}.rows")
    columns = _build_reshape(graph, rows.outputs[0], (height, width, count), name)
    maps = _build_transpose(columns.outputs[0], (0, 3, 1, 2), sizes, f"{name}.maps")
    graph.insert_after(last, [rows, columns, maps])
    for use in uses:
        use.node.replace_input_with(use.idx, maps.outputs[0])


def _build_reshape(graph: ir.Graph, value: ir.Value, sizes: tuple[int, ...], name: str) -> ir.Node:
    constant = add_sizes(graph, f"{name}.sizes", [-1, *sizes])
    return _describe(ir.node("Reshape", [value, constant], name=name), value, sizes)


def _build_transpose(value: ir.Value, order: tuple[int, ...], sizes: tuple[int, ...], name: str) -> ir.Node:
    return _describe(ir.node("Transpose", [value], {"perm": order}, name=name), value, sizes)


def _describe(node: ir.Node, like: ir.Value, sizes: tuple[int, ...]) -> ir.Node:
    """Declare a node's output: as many samples as another value, of its type."""
    output = node.outputs[0]
    output.name, output.type, output.shape = f"{node.name}.output", like.type, _build_shape(like, sizes)
    return node


def _build_shape(like: ir.Value, sizes: tuple[int, ...]) -> ir.Shape:
    assert like.shape is not None
    return ir.Shape([like.shape[0], *sizes])


def _read_map_sizes(value: ir.Value | None) -> tuple[int, int, int] | None:
    """Return the sizes of a value of four dimensions but for its first; None where one is unknown."""
    shape = None if value is None or value.shape is None else value.shape
    sizes = [] if shape is None else [size for size in shape[1:] if isinstance(size, int)]
    return (sizes[0], sizes[1], sizes[2]) if len(sizes) == 3 else None
