"""Nodes that an exported graph computes but does not need."""

from __future__ import annotations

from collections import Counter

from onnxscript import ir

IDLE = ("Identity", "Dropout")


def describe_redundant_nodes(model: ir.Model) -> str:
    """Count idle nodes, batch norms that are not folded, and arithmetic on constants.

    A batch norm before a padded convolution cannot be folded: zeros pad its output, not its input.

    Returns:
        Kinds and counts, e.g. `2 BatchNormalization (before padded convolutions)`; `none`.
    """
    counts = Counter(kind for node in model.graph if (kind := _classify(node)) is not None)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "none"


def _classify(node: ir.Node) -> str | None:
    """Return the kind of a redundant node, None for any other."""
    if node.op_type in IDLE:
        return node.op_type
    if node.op_type == "BatchNormalization":
        readers = [use.node.op_type for use in node.outputs[0].uses()]
        reason = "before padded convolutions" if readers == ["Conv"] else "beside no convolution"
        return f"{node.op_type} ({reason})"
    if all(value.const_value is not None for value in node.inputs if value is not None):
        return f"{node.op_type} (of constants)"
    return None
