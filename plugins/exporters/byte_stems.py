"""First convolutions that read the image's bytes as they are, for int8 in onnxruntime.

An image is uint8 already: a scale of 1 and a zero point make it a quantized input, and the normalisation goes
into the weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from attrs import frozen
from onnxscript import ir

from fas_plugins.exporters.graph import (
    Array,
    add_constant,
    get_only_reader,
    read_bias,
    read_constant,
    read_sizes,
    set_weights,
)

FARTHEST = 16
"""Largest distance, in levels of 255, from the byte that pads the image to one that normalises to zero."""


@frozen(eq=False)
class ByteStem:
    """A convolution of an image whose normalisation is folded into it.

    Args:
        pixels: the bytes, uint8 (B, C, H, W).
        cast: turns them into float.
        centre: subtracts `zero` from them; the convolution reads its output.
        conv: the convolution.
        zero: the byte that pads the image.
    """

    pixels: ir.Value
    cast: ir.Node
    centre: ir.Node
    conv: ir.Node
    zero: int


def fold_normalisations(model: ir.Model) -> list[ByteStem]:
    """Fold normalisations into the convolutions that read them, in place.

    A padded convolution is given zeros around the normalised image, and now one byte for all channels. It is
    the nearest; where a channel's would be more than `FARTHEST` away, the normalisation stays.
    """
    graph = model.graph
    return [stem for node in graph if (stem := _fold_normalisation(graph, node)) is not None]


def read_bytes(proto: onnx.ModelProto, stems: Sequence[ByteStem]) -> None:
    """Let the quantized convolutions read the bytes themselves, in place.

    The quantized graph casts and centres the bytes, only to quantize them with scale 1 and `zero`. Where the
    convolution is in float32, it still reads the centred bytes.
    """
    nodes = proto.graph.node
    for stem in stems:
        centred, pixels = stem.centre.outputs[0].name, stem.pixels.name
        (reader,) = (node for node in nodes if centred in node.input)
        if reader.op_type != "QuantizeLinear":
            continue
        for node in nodes:
            if node.op_type == "DequantizeLinear" and node.input[0] == reader.output[0]:
                node.input[0] = str(pixels)
        replaced = {reader.output[0], centred, stem.cast.outputs[0].name}
        for node in [node for node in nodes if replaced.intersection(node.output)]:
            nodes.remove(node)


def _fold_normalisation(graph: ir.Graph, cast: ir.Node) -> ByteStem | None:
    """Fold `conv(add(mul(cast(bytes), scale), shift))`, if a node is the cast of such a chain."""
    pixels = cast.inputs[0] if cast.op_type == "Cast" else None
    if pixels is None or pixels.dtype != ir.DataType.UINT8:
        return None
    chain = [cast]
    for kind in ("Mul", "Add", "Conv"):
        node = get_only_reader(chain[-1])
        if node is None or node.op_type != kind:
            return None
        chain.append(node)
    _, mul, add, conv = chain
    if any(value is None or value.const_value is None for value in (mul.inputs[1], add.inputs[1])):
        return None
    scale, shift = read_constant(mul.inputs[1]).ravel(), read_constant(add.inputs[1]).ravel()
    zeros = -shift / scale  # the byte that normalises to zero, by channel
    zero = int(np.clip(np.round((zeros.min() + zeros.max()) / 2), 0, 255))
    if any(read_sizes(conv, "pads", ())) and np.abs(zeros - zero).max() > FARTHEST:
        return None
    centre = _centre_bytes(graph, add, cast, zero)
    weight, bias = read_constant(conv.inputs[1]), read_bias(conv)
    added_bias = (weight * _spread(shift + scale * zero)).sum(axis=(1, 2, 3))
    conv.replace_input_with(0, centre.outputs[0])
    set_weights(graph, conv, weight * _spread(scale), added_bias if bias is None else bias + added_bias)
    for node in (add, mul):
        graph.remove(node, safe=True)
    return ByteStem(pixels, cast, centre, conv, zero)


def _spread(values: Array) -> Array:
    """(C,) or (1,) -> (1, C, 1, 1)."""
    return values[None, :, None, None]


def _centre_bytes(graph: ir.Graph, add: ir.Node, cast: ir.Node, zero: int) -> ir.Node:
    """Insert and return a node before `add` that subtracts `zero` from the bytes."""
    constant = add_constant(graph, f"{add.name}.zero", np.array([zero]))
    centre = ir.node("Sub", [cast.outputs[0], constant], name=f"{add.name}.centre")
    value, like = centre.outputs[0], add.outputs[0]
    value.name, value.shape, value.type = f"{add.name}.centred", like.shape, like.type
    graph.insert_before(add, centre)
    return centre
