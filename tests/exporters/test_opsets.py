"""Conversion of graphs to other opsets: hand-made nodes whose operators changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from fas_core import ConfigError
from fas_plugins.exporters.opsets import convert_opset

X = np.random.default_rng(14).normal(size=(2, 3, 4)).astype(np.float32)


def build(kind: str, constants: dict[str, Any], rank: int = 3, **attributes: Any) -> Any:
    """Return a graph of opset 18 with one node `kind(x, *constants)` whose output has `rank` dimensions."""
    tensors = [numpy_helper.from_array(np.array(values), name) for name, values in constants.items()]
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", *constants], ["y"], **attributes)],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, X.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * rank)],
        tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(proto: onnx.ModelProto) -> Any:
    onnx.checker.check_model(proto, full_check=True)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": X})[0]


@pytest.mark.parametrize("opset", [11, 13, 17])
def test_axes_become_an_attribute(opset: int) -> None:
    converted = convert_opset(
        build("ReduceMean", {"axes": [1]}, 2, keepdims=0, noop_with_empty_axes=0), opset
    )
    assert not converted.graph.initializer
    assert {item.name for item in converted.graph.node[0].attribute} == {"axes", "keepdims"}
    np.testing.assert_allclose(run(converted), X.mean(axis=1), atol=1e-6)


def test_newer_opsets_and_format_versions() -> None:
    converted = convert_opset(build("ReduceMean", {"axes": [1]}, 2, keepdims=0), 20)
    assert (converted.opset_import[0].version, converted.ir_version) == (20, 9)
    np.testing.assert_allclose(run(converted), X.mean(axis=1), atol=1e-6)
    assert convert_opset(build("Relu", {}), 18).ir_version == 8


def test_softmax_over_the_last_axis_alone_is_as_old() -> None:
    last = convert_opset(build("Softmax", {}), 11)
    np.testing.assert_allclose(run(last), np.exp(X) / np.exp(X).sum(-1, keepdims=True), atol=1e-6)
    with pytest.raises(ConfigError, match="opset 11 is too old for this graph, 13 is its oldest: Softmax"):
        convert_opset(build("Softmax", {}, axis=1), 11)


def test_what_has_no_equal_is_refused_with_the_oldest_opset() -> None:
    with pytest.raises(ConfigError, match="opset 12 is too old for this graph, 17 is its oldest: LayerNorm"):
        convert_opset(build("LayerNormalization", {"scale": np.ones(4, np.float32)}), 12)
    with pytest.raises(
        ConfigError, match="opset 14 is too old for this graph, 15 is its oldest: Shape has no"
    ):
        convert_opset(build("Shape", {}, start=1), 14)
