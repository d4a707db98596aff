"""Graphs as PyTorch computes them: every operator as onnxruntime has it; weights that are written back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir

from fas_core import Model, ModelError
from fas_plugins.exporters.tracing import trace_model
from fas_plugins.exporters.trainable_graph import OPERATORS, TrainableGraph

RNG = np.random.default_rng(3)
MAP = RNG.normal(size=(2, 4, 6, 6)).astype(np.float32)
VECTOR = RNG.normal(size=(2, 5)).astype(np.float32)
KERNEL, DEPTHWISE = RNG.normal(size=(3, 4, 3, 3)), RNG.normal(size=(4, 1, 3, 3))
BIAS, LINEAR = RNG.normal(size=3), RNG.normal(size=(5, 3))
SCALE, SHIFT, MEAN, VARIANCE = (np.abs(RNG.normal(size=4)) + 0.5 for _ in range(4))
POOL = {"kernel_shape": [3, 3], "strides": [2, 2]}


def ints(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


CASES: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("Add", {}, [MAP, SCALE[:, None, None]]),
    ("AveragePool", {**POOL, "pads": [1, 1, 1, 1]}, [MAP]),
    ("AveragePool", {**POOL, "pads": [1, 1, 1, 1], "count_include_pad": 1}, [MAP]),
    ("BatchNormalization", {"epsilon": 1e-3}, [MAP, SCALE, SHIFT, MEAN, VARIANCE]),
    ("Cast", {"to": TensorProto.FLOAT}, [(MAP > 0)]),
    ("Clip", {}, [MAP, np.float32(0), np.float32(0.5)]),
    ("Clip", {}, [MAP, np.float32(0)]),
    ("Concat", {"axis": 1}, [MAP, MAP[:, :2]]),
    ("Conv", {"pads": [1, 1, 1, 1], "strides": [2, 2]}, [MAP, KERNEL, BIAS]),
    ("Conv", {"pads": [0, 1, 2, 0]}, [MAP, KERNEL]),
    ("Conv", {"group": 4, "dilations": [2, 2]}, [MAP, DEPTHWISE]),
    ("Div", {}, [MAP, np.float32(3)]),
    ("Exp", {}, [MAP]),
    ("Gemm", {"transB": 1}, [VECTOR, LINEAR.T.copy(), BIAS]),
    ("Gemm", {"alpha": 0.5, "beta": 2.0}, [VECTOR, LINEAR, BIAS]),
    ("GlobalAveragePool", {}, [MAP]),
    ("Identity", {}, [MAP]),
    ("Log", {}, [np.abs(MAP) + 1]),
    ("LogSoftmax", {"axis": 1}, [VECTOR]),
    ("MatMul", {}, [VECTOR, LINEAR]),
    ("MaxPool", {**POOL, "pads": [1, 1, 0, 0]}, [MAP]),
    ("Mul", {}, [MAP, np.float32(3)]),
    ("Neg", {}, [MAP]),
    ("Not", {}, [MAP > 0]),
    ("Pow", {}, [np.abs(MAP), np.float32(1.5)]),
    ("ReduceLogSumExp", {"keepdims": 0}, [VECTOR, ints(1)]),
    ("ReduceMax", {}, [MAP, ints(2, 3)]),
    ("ReduceMean", {"keepdims": 0}, [MAP, ints(-2, -1)]),
    ("ReduceSum", {}, [MAP]),
    ("Relu", {}, [MAP]),
    ("Reshape", {}, [MAP, ints(0, 2, -1)]),
    ("Resize", {"mode": "linear"}, [MAP, None, np.array([1, 1, 2, 2], np.float32)]),
    (
        "Resize",
        {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        [MAP, None, None, ints(2, 4, 3, 12)],
    ),
    ("Sigmoid", {}, [MAP]),
    ("Slice", {}, [MAP, ints(1, 0), ints(9, -1), ints(1, 3), ints(2, 1)]),
    ("Slice", {}, [MAP, ints(-1), ints(-(2**62)), ints(1), ints(-1)]),
    ("Softmax", {"axis": 1}, [VECTOR]),
    ("Sqrt", {}, [np.abs(MAP)]),
    ("Sub", {}, [MAP, np.float32(3)]),
    ("Tanh", {}, [MAP]),
    ("Transpose", {"perm": [0, 2, 3, 1]}, [MAP]),
    ("Where", {}, [MAP > 0, MAP, np.float32(7)]),
]


def build_graph(operator: str, attributes: dict[str, Any], inputs: list[Any]) -> onnx.ModelProto:
    """A graph of one node, of whose inputs the first is the graph's."""
    arrays = [
        None if item is None else item.astype(np.float32) if item.dtype == np.float64 else item
        for item in inputs
    ]
    stored = [numpy_helper.from_array(a, f"i{n}") for n, a in enumerate(arrays) if n and a is not None]
    names = ["" if item is None else f"i{number}" for number, item in enumerate(arrays)]
    given = helper.make_tensor_value_info(
        "i0", helper.np_dtype_to_tensor_dtype(arrays[0].dtype), list(arrays[0].shape)
    )
    result = TensorProto.BOOL if operator == "Not" else TensorProto.FLOAT
    node = helper.make_node(operator, names, ["y"], **attributes)
    output = helper.make_tensor_value_info("y", result, None)
    graph = helper.make_graph([node], "one", [given], [output], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize("case", CASES, ids=[f"{name}-{place}" for place, (name, *_) in enumerate(CASES)])
def test_every_operator_is_onnxruntimes(case: tuple[str, dict[str, Any], list[Any]]) -> None:
    proto, image = build_graph(*case), case[2][0]
    (expected,) = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"i0": image})
    graph = TrainableGraph(ir.from_proto(proto), ["y"])
    actual = graph({"i0": torch.from_numpy(image)})["y"].detach().numpy()
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
    assert actual.dtype == expected.dtype


def test_every_operator_is_tried() -> None:
    assert {name for name, *_ in CASES} == set(OPERATORS)


def test_an_operator_that_cannot_be_trained_is_named() -> None:
    proto = build_graph("Selu", {}, [MAP])
    with pytest.raises(ModelError, match="operator Selu"):
        TrainableGraph(ir.from_proto(proto), ["y"])
    proto = build_graph("Resize", {"mode": "cubic"}, [MAP, None, np.array([1, 1, 2, 2], np.float32)])
    with pytest.raises(ModelError, match="Resize by cubic"):
        TrainableGraph(ir.from_proto(proto), ["y"])({"i0": torch.from_numpy(MAP)})


def test_a_model_gives_its_outputs_and_takes_other_weights(
    make_model: Callable[..., Model], faces: Any, make_card: Any, tmp_path: Any
) -> None:
    names = ("rgb", "ir")
    model, images = make_model(names, partial=True), faces(names, 4)
    traced = trace_model(model, images, make_card(names, partial=True), tmp_path / "m.onnx")
    graph = TrainableGraph(traced.graph, ["score", "logits"])
    inputs = {name: torch.from_numpy(pixels) for name, pixels in images.items()}
    assert traced.presence is not None
    inputs["presence"] = torch.from_numpy(traced.presence)
    outputs = graph(inputs)
    for name, expected in traced.expected.items():
        np.testing.assert_allclose(outputs[name].detach().numpy(), expected, atol=1e-5)

    with torch.no_grad():
        for weight in graph.weights.values():
            weight *= 1.1
    graph.store()
    arrays = {name: value.numpy() for name, value in inputs.items()}
    session = onnxruntime.InferenceSession(ir.to_proto(traced.graph).SerializeToString())
    for name, expected in zip(("score", "logits"), session.run(["score", "logits"], arrays), strict=True):
        np.testing.assert_allclose(graph(inputs)[name].detach().numpy(), expected, atol=1e-5)
        assert np.abs(expected - traced.expected[name]).max() > 1e-3
