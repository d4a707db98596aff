"""Prunable channels of a graph: which they are, what they cost, and that removing them keeps the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir

from fas_plugins.exporters.prunable_channels import (
    find_prunable_channels,
    keep_channels,
    set_reader_weights,
)


def graph(*, stride: int = 1, gate: bool = False, output: bool = False, side: int | str = 6) -> ir.Model:
    """x (B, 3, side, side) -> 3 x 3 to 16 -> ReLU -> depth-wise -> pooling -> point-wise to 4."""
    rng = np.random.default_rng(14)
    arrays = {
        "w0": rng.normal(size=(16, 3, 3, 3)),
        "b0": rng.normal(size=16),
        "w1": rng.normal(size=(16, 1, 3, 3)),
        "w2": rng.normal(size=(4, 16, 1, 1)),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["made"], pads=[1] * 4),
        helper.make_node("Relu", ["made"], ["rectified"]),
        helper.make_node("Conv", ["rectified", "w1"], ["alone"], pads=[1] * 4, group=16),
        helper.make_node("AveragePool", ["alone"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["pooled", "w2"], ["y"], strides=[stride] * 2),
    ]
    nodes += [helper.make_node("Mul", ["alone", "alone"], ["z"])] if gate else []
    names = ["y", *(["z"] if gate else []), *(["alone"] if output else [])]
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 3, side, side])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", None, None, None]) for name in names],
        [numpy_helper.from_array(values.astype(np.float32), name) for name, values in arrays.items()],
    )
    opsets = [helper.make_opsetid("", 18)]
    return ir.from_proto(onnx.shape_inference.infer_shapes(helper.make_model(made, opset_imports=opsets)))


def test_channels_between_a_convolution_and_a_point_wise_one_are_prunable() -> None:
    (channels,) = find_prunable_channels(graph().graph)
    assert channels.count == 16
    assert [len(channels.depthwise), len(channels.readers), len(channels.values)] == [1, 1, 4]
    # 27 products at 36 positions to compute a channel, thrice 9 to filter it, 4 at 9 positions to read it.
    assert channels.cost == pytest.approx((27 * 36 + 3 * 9 * 36 + 4 * 9) / 1e6)


@pytest.mark.parametrize("settings", [{"stride": 2}, {"gate": True}, {"output": True}, {"side": "s"}])
def test_channels_that_anything_else_reads_are_not_prunable(settings: dict[str, Any]) -> None:
    assert not find_prunable_channels(graph(**settings).graph)


def run(model: ir.Model) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(
        ir.to_proto(model).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    x = np.random.default_rng(1).normal(size=(2, 3, 6, 6)).astype(np.float32)
    return np.asarray(session.run(["y"], {"x": x})[0])


def test_a_removed_channel_counts_as_zero_for_the_readers() -> None:
    kept = np.array([0, 3, 4, 15])
    zeroed, pruned = graph(), graph()
    (channels,) = find_prunable_channels(zeroed.graph)
    weight = zeroed.graph.initializers["w2"].const_value
    assert weight is not None
    masked = np.zeros((16, 4))
    masked[kept] = weight.numpy().reshape(4, 16).T[kept]
    set_reader_weights(zeroed.graph, channels.readers[0], masked, np.zeros(4))

    (channels,) = find_prunable_channels(pruned.graph)
    keep_channels(pruned.graph, channels, kept)
    onnx.checker.check_model(ir.to_proto(pruned), full_check=True)
    (channels,) = find_prunable_channels(pruned.graph)
    assert channels.count == 4
    np.testing.assert_allclose(run(pruned), run(zeroed), rtol=1e-4, atol=1e-5)
