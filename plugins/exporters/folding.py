"""Folding that torch's exporter leaves undone: arithmetic on large constants, and batch norms."""

from __future__ import annotations

import numpy as np
from onnxscript import ir, optimizer
from onnxscript.rewriter import rewrite
from onnxscript.rewriter.rules.common import fuse_batchnorm_into_conv_rule

from fas_plugins.exporters.graph import Array, add_constant, count_groups, read_bias, read_constant

SIZE_LIMIT = 1 << 30
"""Largest constant that is folded, in elements; torch's exporter stops at 1,000, less than most kernels."""


def fold_constants(model: ir.Model) -> None:
    """Compute all values that depend on constants alone, in place.

    This makes the kernel of a central difference convolution a constant, and folds a batch norm after it.
    """
    optimizer.fold_constants(model, input_size_limit=SIZE_LIMIT, output_size_limit=SIZE_LIMIT)
    rewrite(model, pattern_rewrite_rules=[fuse_batchnorm_into_conv_rule])


def fold_batch_norms(model: ir.Model) -> int:
    """Fold every batch norm that only an unpadded convolution reads into that convolution, in place.

    A batch norm before a padded convolution stays: zeros pad its output, not its input.

    Returns:
        The number of batch norms folded.
    """
    pairs = [(node, conv) for node in model.graph if (conv := _find_foldable_conv(node)) is not None]
    for norm, conv in pairs:
        _fold(model.graph, norm, conv)
    return len(pairs)


def _find_foldable_conv(norm: ir.Node) -> ir.Node | None:
    """Return the convolution that a batch norm can be folded into."""
    if norm.op_type != "BatchNormalization" or norm.outputs[0].is_graph_output():
        return None
    readers = list(norm.outputs[0].uses())
    if len(readers) != 1 or readers[0].node.op_type != "Conv" or readers[0].idx != 0:
        return None
    conv = readers[0].node
    constants = (*norm.inputs[1:], *conv.inputs[1:])
    if _is_padded(conv) or any(value is not None and value.const_value is None for value in constants):
        return None
    return conv


def _is_padded(conv: ir.Node) -> bool:
    pads, auto_pad = conv.attributes.get("pads"), conv.attributes.get("auto_pad")
    if auto_pad is not None and auto_pad.as_string() != "NOTSET":
        return True
    return pads is not None and any(pads.as_ints())


def _fold(graph: ir.Graph, norm: ir.Node, conv: ir.Node) -> None:
    """Fold a batch norm: conv(scale x + shift) has weight x scale, and the weighted shifts in its bias."""
    gamma, beta, mean, variance = (read_constant(value) for value in norm.inputs[1:])  # (C,) each
    epsilon = norm.attributes["epsilon"].as_float() if "epsilon" in norm.attributes else 1e-5
    scale = gamma / np.sqrt(variance + epsilon)
    shift = beta - mean * scale
    weight, bias = read_constant(conv.inputs[1]), read_bias(conv)  # (O, C / groups, k, k) and (O,)
    groups = count_groups(conv)

    def spread(values: Array) -> Array:
        """(C,) -> (O, C / groups, 1, 1): output channel o reads the input channels of its own group."""
        return np.repeat(values.reshape(groups, -1), len(weight) // groups, axis=0)[:, :, None, None]

    added_bias = (weight * spread(shift)).sum(axis=(1, 2, 3))
    conv.resize_inputs(3)
    conv.replace_input_with(0, norm.inputs[0])
    conv.replace_input_with(1, add_constant(graph, f"{conv.name}.weight", weight * spread(scale)))
    new_bias = added_bias if bias is None else bias + added_bias
    conv.replace_input_with(2, add_constant(graph, f"{conv.name}.bias", new_bias))
    graph.remove(norm, safe=True)
