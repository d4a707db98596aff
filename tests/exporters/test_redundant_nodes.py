"""Redundant nodes of a graph are named and counted."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir

from fas_plugins.exporters.redundant_nodes import describe_redundant_nodes


def graph(*nodes: onnx.NodeProto) -> ir.Model:
    """From `x` (1, 3, 8, 8) to `y`; `one` (3,) and `kernel` (3, 3, 3, 3) are constants."""
    kernel, one = np.ones((3, 3, 3, 3), np.float32), np.ones(3, np.float32)
    constants = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(one, "one")]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    return ir.from_proto(helper.make_model(helper.make_graph(list(nodes), "g", [given], [made], constants)))


def norm(given: str, made: str) -> onnx.NodeProto:
    return helper.make_node("BatchNormalization", [given, *["one"] * 4], [made])


def test_a_clean_graph() -> None:
    assert describe_redundant_nodes(graph(helper.make_node("Conv", ["x", "kernel"], ["y"]))) == "none"


def test_every_kind_is_named_and_counted() -> None:
    text = describe_redundant_nodes(
        graph(
            norm("x", "a"),
            helper.make_node("Conv", ["a", "kernel"], ["b"], pads=[1] * 4),
            norm("b", "c"),
            helper.make_node("Identity", ["c"], ["d"]),
            helper.make_node("Dropout", ["d"], ["e"]),
            helper.make_node("Identity", ["e"], ["f"]),
            helper.make_node("Neg", ["kernel"], ["k"]),
            helper.make_node("Conv", ["f", "k"], ["y"]),
        )
    )
    assert text == (
        "1 BatchNormalization (before padded convolutions), 1 BatchNormalization (beside no convolution), "
        "1 Dropout, 2 Identity, 1 Neg (of constants)"
    )
