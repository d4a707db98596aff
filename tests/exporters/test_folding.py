"""A graph computes the same with and without folding."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir

from fas_plugins.exporters.folding import fold_batch_norms


def graph(groups: int = 1, bias: bool = False, pad: int = 0, second_reader: bool = False) -> onnx.ModelProto:
    """x (B, 4, 6, 6) -> batch norm -> convolution, 3 x 3, to 6 channels."""
    rng = np.random.default_rng(14)
    arrays = {
        "gamma": rng.uniform(0.5, 2, 4),
        "beta": rng.normal(size=4),
        "mean": rng.normal(size=4),
        "variance": rng.uniform(0.5, 2, 4),
        "weight": rng.normal(size=(6, 4 // groups, 3, 3)),
    } | ({"bias": rng.normal(size=6)} if bias else {})
    nodes = [
        helper.make_node(
            "BatchNormalization", ["x", "gamma", "beta", "mean", "variance"], ["n"], epsilon=1e-3
        ),
        helper.make_node(
            "Conv", ["n", "weight", *(["bias"] if bias else [])], ["y"], "conv", group=groups, pads=[pad] * 4
        ),
    ]
    names = ["y"]
    if second_reader:
        nodes.append(helper.make_node("Relu", ["n"], ["z"]))
        names.append("z")
    value = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", None, None, None]) for name in names
    ]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 4, 6, 6])
    constants = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()]
    made = helper.make_graph(nodes, "test", [given], value, constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model: onnx.ModelProto) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).normal(size=(2, 4, 6, 6)).astype(np.float32)
    return np.asarray(session.run(["y"], {"x": x})[0])


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("bias", [False, True])
def test_a_batch_norm_is_folded_into_an_unpadded_convolution(groups: int, bias: bool) -> None:
    original = graph(groups, bias)
    model = ir.from_proto(original)
    assert fold_batch_norms(model) == 1
    folded = ir.to_proto(model)
    onnx.checker.check_model(folded, full_check=True)
    assert [node.op_type for node in folded.graph.node] == ["Conv"]
    np.testing.assert_allclose(run(folded), run(original), atol=1e-5)


@pytest.mark.parametrize("settings", [{"pad": 1}, {"second_reader": True}])
def test_a_batch_norm_stays_where_folding_would_change_the_result(settings: dict[str, int]) -> None:
    original = graph(**settings)  # type: ignore[arg-type]
    model = ir.from_proto(original)
    assert fold_batch_norms(model) == 0
    np.testing.assert_array_equal(run(ir.to_proto(model)), run(original))
