"""Batch norms that torch's exporter leaves in a graph: those that stand before a convolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnxscript import ir

Pair = tuple[ir.Node, ir.Node]


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
    gamma, beta, mean, variance = (_array(value) for value in norm.inputs[1:])  # (C,) each
    epsilon = norm.attributes["epsilon"].as_float() if "epsilon" in norm.attributes else 1e-5
    scale = gamma / np.sqrt(variance + epsilon)
    shift = beta - mean * scale
    weight = _array(conv.inputs[1])  # (O, C / groups, k, k)
    groups = conv.attributes["group"].as_int() if "group" in conv.attributes else 1
    # Output channel o reads the input channels of its own group.
    spread = [
        np.repeat(value.reshape(groups, -1), len(weight) // groups, axis=0)[:, :, None, None]
        for value in (scale, shift)
    ]  # (O, C / groups, 1, 1) each
    bias = _array(conv.inputs[2]) if len(conv.inputs) > 2 and conv.inputs[2] is not None else 0.0
    conv.resize_inputs(3)
    conv.replace_input_with(0, norm.inputs[0])
    conv.replace_input_with(1, _initializer(graph, f"{conv.name}.weight", weight * spread[0]))
    added = (weight * spread[1]).sum(axis=(1, 2, 3))
    conv.replace_input_with(2, _initializer(graph, f"{conv.name}.bias", bias + added))
    graph.remove(norm, safe=True)


def _array(value: ir.Value | None) -> NDArray[np.float64]:
    assert value is not None
    assert value.const_value is not None
    return np.asarray(value.const_value.numpy(), np.float64)


def _initializer(graph: ir.Graph, name: str, array: NDArray[np.float64]) -> ir.Value:
    tensor = ir.tensor(array.astype(np.float32), name=name)
    kind = ir.TensorType(tensor.dtype)
    value = ir.Value(name=name, shape=ir.Shape(array.shape), type=kind, const_value=tensor)
    graph.register_initializer(value)
    return value
