"""Nodes that few runtimes read, rewritten: equal values from other operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir

from fas_plugins.exporters.portability import make_portable

RNG = np.random.default_rng(14)


def rewrite(
    kind: str, shape: list[Any], constants: dict[str, Any], out: list[Any], **attributes: Any
) -> tuple[Any, Any]:
    """Return the graph of one node, `kind(x, *constants)`, before and after."""
    tensors = [numpy_helper.from_array(np.array(values), name) for name, values in constants.items()]
    inputs = [name if name in constants else "" for name in constants]
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", *inputs], ["y"], name="node", **attributes)],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, out)],
        tensors,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    model = ir.from_proto(proto)
    make_portable(model)
    return proto, ir.to_proto(model)


def check_equal(before: onnx.ModelProto, after: onnx.ModelProto, shape: tuple[int, ...]) -> list[str]:
    """Compare the outputs and return the operators after."""
    x = RNG.normal(size=shape).astype(np.float32)
    onnx.checker.check_model(after, full_check=True)
    expected, actual = (
        onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            ["y"], {"x": x}
        )[0]
        for proto in (before, after)
    )
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, atol=1e-6)
    return [node.op_type for node in after.graph.node]


def test_several_axes_become_a_reshape() -> None:
    pair = rewrite("Unsqueeze", ["batch", 5], {"axes": [2, 3]}, ["batch", 5, 1, 1])
    assert check_equal(*pair, (3, 5)) == ["Reshape"]


@pytest.mark.parametrize("index", [0, 1, -1])
def test_one_column_becomes_a_slice(index: int) -> None:
    pair = rewrite("Gather", ["batch", 3], {"index": index}, ["batch"], axis=1)
    assert check_equal(*pair, (4, 3)) == ["Slice", "Reshape"]


def test_several_columns_stay() -> None:
    pair = rewrite("Gather", ["batch", 3], {"index": [0, 2]}, ["batch", 2], axis=1)
    assert check_equal(*pair, (4, 3)) == ["Gather"]


def test_more_than_one_unknown_size_stays() -> None:
    pair = rewrite("Unsqueeze", ["batch", "width"], {"axes": [1, 3]}, ["batch", 1, "width", 1])
    assert check_equal(*pair, (3, 5)) == ["Unsqueeze"]


@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("stride", [1, 2])
def test_padding_around_one_pixel_is_not_multiplied(groups: int, stride: int) -> None:
    weight = RNG.normal(size=(4, 4 // groups, 3, 3)).astype(np.float32)
    pair = rewrite(
        "Conv",
        ["batch", 4, 1, 1],
        {"weight": weight},
        ["batch", 4, 1, 1],
        pads=[1] * 4,
        kernel_shape=[3, 3],
        strides=[stride] * 2,
        group=groups,
    )
    assert check_equal(*pair, (2, 4, 1, 1)) == ["Conv"]
    kernels = [tensor.dims[2:] for tensor in pair[1].graph.initializer if tensor.name.endswith(".weight")]
    assert kernels == [[1, 1]]
