"""What an exported graph still computes though it need not."""

from __future__ import annotations

from collections import Counter

from onnxscript import ir

IDLE = ("Identity", "Dropout")


def leftovers(model: ir.Model) -> str:
    """Nodes that do nothing, batch norms that no convolution took over, and arithmetic on constants.

    A batch norm before a padded convolution has to stay: zeros stand around its output, not its input.

    Returns:
        Kinds and counts, e.g. `2 BatchNormalization (before padded convolutions)`; `none`.
    """
    found = Counter(kind for node in model.graph if (kind := _kind(node)) is not None)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(found.items())) or "none"


def _kind(node: ir.Node) -> str | None:
    if node.op_type in IDLE:
        return node.op_type
    if node.op_type == "BatchNormalization":
        readers = [use.node.op_type for use in node.outputs[0].uses()]
        why = "before padded convolutions" if readers == ["Conv"] else "beside no convolution"
        return f"{node.op_type} ({why})"
    given = [value for value in node.inputs if value is not None]
    if all(value.const_value is not None for value in given):
        return f"{node.op_type} (of constants)"
    return None
