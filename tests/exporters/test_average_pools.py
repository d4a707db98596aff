"""A graph computes the same with and without its average pools."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir

from fas_plugins.exporters.average_pools import fold_average_pools


def graph(pool: dict[str, Any], conv: dict[str, Any], kernel: int = 1, reader: str = "") -> onnx.ModelProto:
    """x (B, 4, 6, 8) -> average pool -> convolution to 6 channels; `reader` is another reader of the pool."""
    rng = np.random.default_rng(14)
    weight = rng.normal(size=(6, 4, kernel, kernel)).astype(np.float32)
    bias = rng.normal(size=6).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], **pool),
        helper.make_node("Conv", ["p", "weight", "bias"], ["y"], "conv", **conv),
    ]
    outputs = ["y"]
    if reader:
        nodes.append(helper.make_node(reader, ["p"], ["z"]))
        outputs.append("z")
    shape = ["b", None, None, None]
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 4, 6, 8])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in outputs],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)


def run(model: onnx.ModelProto) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).normal(size=(2, 4, 6, 8)).astype(np.float32)
    return np.asarray(session.run(["y"], {"x": x})[0])


@pytest.mark.parametrize(
    "pool",
    [
        {"kernel_shape": [2, 2], "strides": [2, 2]},
        {"kernel_shape": [3, 2], "strides": [1, 2]},
        {"kernel_shape": [2, 2]},
    ],
)
def test_a_pool_before_a_pointwise_convolution_becomes_its_kernel(pool: dict[str, Any]) -> None:
    original = graph(pool, {})
    model = ir.from_proto(original)
    assert fold_average_pools(model) == 1
    folded = ir.to_proto(model)
    onnx.checker.check_model(folded, full_check=True)
    assert [node.op_type for node in folded.graph.node] == ["Conv"]
    np.testing.assert_allclose(run(folded), run(original), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("pool", "rest"),
    [
        ({"pads": [1, 1, 1, 1]}, {"conv": {}}),
        ({"ceil_mode": 1}, {"conv": {}}),
        ({"auto_pad": "SAME_UPPER"}, {"conv": {}}),
        ({"dilations": [2, 2]}, {"conv": {}}),
        ({}, {"conv": {"pads": [1, 1, 1, 1]}}),
        ({}, {"conv": {"strides": [2, 2]}}),
        ({}, {"conv": {}, "kernel": 2}),
        ({}, {"conv": {}, "reader": "Relu"}),
    ],
)
def test_other_pools_stay(pool: dict[str, Any], rest: dict[str, Any]) -> None:
    original = graph({"kernel_shape": [2, 2], "strides": [2, 2]} | pool, **rest)
    model = ir.from_proto(original)
    assert fold_average_pools(model) == 0
    np.testing.assert_array_equal(run(ir.to_proto(model)), run(original))
