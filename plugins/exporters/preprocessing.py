"""Which nodes of a graph are the model's preprocessing: from bytes to normalised pixels."""

from __future__ import annotations

from onnxscript import ir

STEPS = ("Transpose", "Cast", "Mul", "Add", "Sub", "Div")


def preprocessing(graph: ir.Graph) -> list[ir.Node]:
    """What stands between byte inputs and the first node that mixes pixels."""
    reached = {value for value in graph.inputs if value.dtype == ir.DataType.UINT8}
    found = []
    for node in graph:
        variable = [value for value in node.inputs if value is not None and value.const_value is None]
        if node.op_type in STEPS and variable and reached.issuperset(variable):
            found.append(node)
            reached.update(node.outputs)
    return found
