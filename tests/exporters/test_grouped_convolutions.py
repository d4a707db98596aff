"""A graph with narrow groups and its depth-wise or dense replacement compute the same."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir

from fas_plugins.exporters.grouped_convolutions import merge_groups, split_grouped_convolutions

GROUPS = 4


def graph(
    width: int = 3,
    *,
    groups: int = GROUPS,
    stride: int = 1,
    bias: bool = True,
    clipped: bool = True,
    kernel: int = 1,
    second_reader: bool = False,
) -> onnx.ModelProto:
    """x (B, 5, 7, 7) -> point-wise -> clip -> 3 x 3 in groups of `width` -> clip -> point-wise, to 6."""
    rng, hidden = np.random.default_rng(14), groups * width
    arrays = {
        "w0": rng.normal(size=(hidden, 5, kernel, kernel)),
        "w1": rng.normal(size=(hidden, width, 3, 3)),
        "w2": rng.normal(size=(6, hidden, 1, 1)),
        "b0": rng.normal(size=hidden),
        "b1": rng.normal(size=hidden),
        "b2": rng.normal(size=6),
        "low": np.array(0.0),
        "high": np.array(2.0),
    }
    nodes, value = [], "x"
    for index, settings in enumerate(
        [{"pads": [kernel // 2] * 4}, {"group": groups, "pads": [1] * 4, "strides": [stride] * 2}, {}]
    ):
        inputs = [value, f"w{index}", *([f"b{index}"] if bias else [])]
        nodes.append(helper.make_node("Conv", inputs, [f"c{index}"], f"conv{index}", **settings))
        value = f"c{index}"
        if clipped and index < 2:
            nodes.append(helper.make_node("Clip", [value, "low", "high"], [f"a{index}"]))
            value = f"a{index}"
    names = ["c2"]
    if second_reader:
        nodes.append(helper.make_node("Relu", ["c0"], ["z"]))
        names.append("z")
    shape = ["b", None, None, None]
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 5, 7, 7])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names],
        [numpy_helper.from_array(values.astype(np.float32), name) for name, values in arrays.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model: onnx.ModelProto) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).normal(size=(2, 5, 7, 7)).astype(np.float32)
    return np.asarray(session.run(["c2"], {"x": x})[0])


@pytest.mark.parametrize("width", [2, 3, 6])
@pytest.mark.parametrize("settings", [{}, {"stride": 2}, {"bias": False}, {"clipped": False}])
def test_each_group_convolution_becomes_width_squared_depthwise_ones(
    width: int, settings: dict[str, int]
) -> None:
    original = graph(width, **settings)  # type: ignore[arg-type]
    model = ir.from_proto(original)
    assert split_grouped_convolutions(model) == 1
    split = ir.to_proto(model)
    onnx.checker.check_model(split, full_check=True)
    depthwise = [
        node
        for node in split.graph.node
        for setting in node.attribute
        if setting.name == "group" and setting.i > 1
    ]
    assert len(depthwise) == width**2
    assert all(
        setting.i == GROUPS for node in depthwise for setting in node.attribute if setting.name == "group"
    )
    np.testing.assert_allclose(run(split), run(original), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("width", "groups", "dense"), [(3, 4, [12]), (6, 16, [48, 48]), (8, 10, [40, 40]), (7, 11, [7] * 11)]
)
@pytest.mark.parametrize("settings", [{}, {"stride": 2}, {"bias": False}, {"clipped": False}])
def test_groups_become_dense_convolutions_of_48_channels_or_fewer(
    width: int, groups: int, dense: list[int], settings: dict[str, int]
) -> None:
    original = graph(width, groups=groups, **settings)  # type: ignore[arg-type]
    model = ir.from_proto(original)
    assert merge_groups(model) == 1
    merged = ir.to_proto(model)
    onnx.checker.check_model(merged, full_check=True)
    kernels = {tensor.name: list(tensor.dims) for tensor in merged.graph.initializer}
    shapes = [kernels[node.input[1]] for node in merged.graph.node if node.op_type == "Conv"]
    assert [shape for shape in shapes if shape[2:] == [3, 3]] == [[size, size, 3, 3] for size in dense]
    np.testing.assert_allclose(run(merged), run(original), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("width", "settings"), [(1, {}), (9, {}), (3, {"kernel": 3}), (3, {"second_reader": True})]
)
def test_other_convolutions_are_not_replaced(width: int, settings: dict[str, int]) -> None:
    original = graph(width, **settings)  # type: ignore[arg-type]
    model = ir.from_proto(original)
    assert split_grouped_convolutions(model) == merge_groups(model) == 0
    np.testing.assert_array_equal(run(ir.to_proto(model)), run(original))
