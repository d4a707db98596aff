"""Activations of a graph on samples."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir

from fas_plugins.exporters.activations import BATCH, POSITIONS, sample_activations

SIDE, COUNT = 4, BATCH + 3


@pytest.fixture
def model() -> ir.Model:
    """rgb, uint8 (B, 3, side, side) -> float -> doubled -> mean over positions."""
    two = numpy_helper.from_array(np.float32([2]), "two")
    axes = numpy_helper.from_array(np.int64([2, 3]), "axes")
    nodes = [
        helper.make_node("Cast", ["rgb"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["pixels", "two"], ["doubled"]),
        helper.make_node("ReduceMean", ["doubled", "axes"], ["mean"], keepdims=0),
    ]
    rgb = helper.make_tensor_value_info("rgb", TensorProto.UINT8, ["b", 3, SIDE, SIDE])
    mean = helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["b", 3])
    graph = helper.make_graph(nodes, "test", [rgb], [mean], [two, axes])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return ir.from_proto(onnx.shape_inference.infer_shapes(proto))


@pytest.fixture
def samples() -> dict[str, np.ndarray]:
    return {"rgb": np.random.default_rng(14).integers(0, 256, (COUNT, 3, SIDE, SIDE), np.uint8)}


def test_vectors_are_returned_whole(model: ir.Model, samples: dict[str, np.ndarray]) -> None:
    mean = sample_activations(model, ["mean"], samples)["mean"]
    np.testing.assert_allclose(mean, 2 * samples["rgb"].mean(axis=(2, 3)), rtol=1e-6)


def test_maps_are_read_at_the_same_positions(model: ir.Model, samples: dict[str, np.ndarray]) -> None:
    rows = sample_activations(model, ["pixels", "doubled", "pixels"], samples)
    assert rows["pixels"].shape == (COUNT * POSITIONS, 3)
    np.testing.assert_array_equal(2 * rows["pixels"], rows["doubled"])
    pixels = samples["rgb"].reshape(COUNT, 3, -1)
    for sample, read in zip(pixels, rows["pixels"].reshape(COUNT, POSITIONS, 3), strict=True):
        assert {*map(tuple, read)} <= {*map(tuple, sample.T)}


def test_the_model_itself_is_not_changed(model: ir.Model, samples: dict[str, np.ndarray]) -> None:
    sample_activations(model, ["pixels"], samples)
    assert [value.name for value in model.graph.outputs] == ["mean"]
    assert len(list(model.graph)) == 3
