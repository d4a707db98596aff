"""What torch's exporter leaves to be folded: arithmetic on large constants, and batch norms around it."""

from __future__ import annotations

import numpy as np
from onnxscript import ir, optimizer
from onnxscript.rewriter import rewrite
from onnxscript.rewriter.rules.common import fuse_batchnorm_into_conv_rule

from fas_plugins.exporters.graph import array, bias, constant, group_count

Pair = tuple[ir.Node, ir.Node]


ANY_SIZE = 1 << 30
"""Elements; torch's exporter stops at a thousand, which few kernels are below."""


def fold_constants(model: ir.Model) -> None:
    """Compute what depends on constants alone, in place.

    A central-difference convolution's kernel becomes a constant so, and a batch norm after it a part of it.
    """
    optimizer.fold_constants(model, input_size_limit=ANY_SIZE, output_size_limit=ANY_SIZE)
    rewrite(model, pattern_rewrite_rules=[fuse_batchnorm_into_conv_rule])


def fold_batch_norms(model: ir.Model) -> int:
    """Move every batch norm that only an unpadded convolution reads into that convolution, in place.

    A padded convolution keeps its batch norm: zeros stand around the batch norm's output, not its input.

    Returns:
        How many were folded.
    """
    pairs = [pair for node in model.graph if (pair := _foldable(node)) is not None]
    for norm, conv in pairs:
        _fold(model.graph, norm, conv)
    return len(pairs)


def _foldable(norm: ir.Node) -> Pair | None:
    """A batch norm and the convolution that may take it over."""
    if norm.op_type != "BatchNormalization" or norm.outputs[0].is_graph_output():
        return None
    readers = list(norm.outputs[0].uses())
    if len(readers) != 1 or readers[0].node.op_type != "Conv" or readers[0].idx != 0:
        return None
    conv = readers[0].node
    pads, auto = conv.attributes.get("pads"), conv.attributes.get("auto_pad")
    padded = (pads is not None and any(pads.as_ints())) or (auto is not None and auto.as_string() != "NOTSET")
    constants = (*norm.inputs[1:], *conv.inputs[1:])
    known = all(value is None or value.const_value is not None for value in constants)
    return (norm, conv) if known and not padded else None


def _fold(graph: ir.Graph, norm: ir.Node, conv: ir.Node) -> None:
    gamma, beta, mean, variance = (array(value) for value in norm.inputs[1:])  # (C,) each
    epsilon = norm.attributes["epsilon"].as_float() if "epsilon" in norm.attributes else 1e-5
    scale = gamma / np.sqrt(variance + epsilon)
    shift = beta - mean * scale
    weight = array(conv.inputs[1])  # (O, C / groups, k, k)
    groups = group_count(conv)
    # Output channel o reads the input channels of its own group.
    spread = [
        np.repeat(value.reshape(groups, -1), len(weight) // groups, axis=0)[:, :, None, None]
        for value in (scale, shift)
    ]  # (O, C / groups, 1, 1) each
    own = bias(conv)
    conv.resize_inputs(3)
    conv.replace_input_with(0, norm.inputs[0])
    conv.replace_input_with(1, constant(graph, f"{conv.name}.weight", weight * spread[0]))
    added = (weight * spread[1]).sum(axis=(1, 2, 3))
    conv.replace_input_with(2, constant(graph, f"{conv.name}.bias", added if own is None else own + added))
    graph.remove(norm, safe=True)
