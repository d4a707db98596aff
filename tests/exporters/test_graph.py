"""Reading a graph's structure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir
from torch import Tensor, nn

from fas_core import ModelFile
from fas_core.testing import verify_on
from fas_plugins.exporters import onnx as onnx_exporter
from fas_plugins.exporters.graph import (
    add_constant,
    count_groups,
    find_novelty,
    find_preprocessing,
    is_pointwise,
    measure_depths,
    read_bias,
    read_constant,
    to_graph_inputs,
)
from fas_plugins.exporters.options import OnnxOptions


@pytest.fixture
def graph() -> ir.Graph:
    """rgb (B, 4, 4, 2), bytes -> transpose, cast, scale -> grouped 3 x 3 -> 1 x 1 with a bias -> + scaled."""
    constants = {
        "scale": np.float32([0.5]),
        "w0": np.ones((2, 1, 3, 3), np.float32),
        "w1": np.ones((2, 2, 1, 1), np.float32),
        "b1": np.float32([3, 4]),
    }
    nodes = [
        helper.make_node("Transpose", ["rgb"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["first"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["scaled"]),
        helper.make_node("Conv", ["scaled", "w0"], ["grouped"], "grouped", group=2, pads=[1] * 4),
        helper.make_node("Conv", ["grouped", "w1", "b1"], ["mixed"], "mixed"),
        helper.make_node("Add", ["mixed", "scaled"], ["y"]),
    ]
    inputs = [
        helper.make_tensor_value_info("rgb", TensorProto.UINT8, ["b", 4, 4, 2]),
        helper.make_tensor_value_info("presence", TensorProto.BOOL, ["b", 1]),
    ]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", 2, 4, 4])
    tensors = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    return ir.from_proto(helper.make_model(helper.make_graph(nodes, "test", inputs, [y], tensors))).graph


def test_preprocessing_ends_at_the_first_convolution(graph: ir.Graph) -> None:
    assert [node.op_type for node in find_preprocessing(graph)] == ["Transpose", "Cast", "Mul"]


def test_depth_is_the_longest_path(graph: ir.Graph) -> None:
    assert list(measure_depths(graph).values()) == [1, 2, 3, 4, 5, 6]


def test_convolutions(graph: ir.Graph) -> None:
    grouped, mixed = (node for node in graph if node.op_type == "Conv")
    assert (count_groups(grouped), count_groups(mixed)) == (2, 1)
    assert (is_pointwise(grouped), is_pointwise(mixed)) == (False, True)
    assert read_bias(grouped) is None
    bias = read_bias(mixed)
    assert bias is not None
    assert bias.tolist() == [3, 4]


def test_samples_lack_no_modality(graph: ir.Graph) -> None:
    inputs = to_graph_inputs(graph, {"rgb": np.zeros((5, 4, 4, 2), np.uint8)})
    assert inputs["rgb"].shape == (5, 4, 4, 2)
    assert inputs["presence"].tolist() == [[True]] * 5


def test_an_added_constant_is_read_in_float64(graph: ir.Graph) -> None:
    values = read_constant(add_constant(graph, "new", np.array([1.0, 0.1])))
    assert values.dtype == np.float64
    assert values.tolist() == [1, np.float32(0.1)]
    assert "new" in graph.initializers


def test_nodes_of_the_novelty_are_those_that_no_other_output_needs() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["embedding"], "shared"),
        helper.make_node("Neg", ["embedding"], ["score"], "head"),
        helper.make_node("Abs", ["embedding"], ["size"], "distance"),
        helper.make_node("Sqrt", ["size"], ["novelty"], "root"),
    ]
    values = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b"])
        for name in ("x", "score", "novelty")
    }
    proto = helper.make_graph(nodes, "g", [values["x"]], [values["score"], values["novelty"]])
    model = ir.from_proto(helper.make_model(proto))
    assert [node.name for node in find_novelty(model.graph)] == ["distance", "root"]
    without = helper.make_graph(nodes[:2], "g", [values["x"]], [values["score"]])
    assert find_novelty(ir.from_proto(helper.make_model(without)).graph) == []


class Distance(nn.Module):
    """How far an embedding (B, E) is from the origin, (B,)."""

    def forward(self, embedding: Tensor) -> Tensor:
        return embedding.square().sum(dim=1).sqrt()


@pytest.mark.long
@pytest.mark.parametrize("form", ["fp32", "fp16", "int8"])
def test_novelty_is_an_output_in_full_precision(
    form: str, make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model, images, path = make_model(("rgb", "ir")), faces(("rgb", "ir"), 24), tmp_path / "model.onnx"
    without = ModelFile(export_to(tmp_path / "plain.onnx", model, images, make_card, form))
    model.novelty = Distance()
    written = ModelFile(export_to(path, model, images, make_card, form))
    outputs = written.outputs(images)
    assert set(without.outputs(images)) == {"score", "logits"}
    precision = {"fp32": 0, "fp16": 2e-3, "int8": 0.1}[form]
    np.testing.assert_allclose(outputs["score"], without(images), atol=precision)
    with torch.inference_mode():
        expected = model({name: torch.from_numpy(pixels) for name, pixels in images.items()}).novelty
    tolerance = {"fp32": 1e-4, "fp16": 0.02, "int8": 0.2}[form]
    np.testing.assert_allclose(outputs["novelty"], expected, rtol=tolerance)


def export_to(path: Path, model: Any, images: Any, make_card: Any, form: str) -> Path:
    options = OnnxOptions(form=form, tolerance=0.5)
    onnx_exporter.export(options, model, images, path, make_card(("rgb", "ir")), verify_on(model, images))
    return path
