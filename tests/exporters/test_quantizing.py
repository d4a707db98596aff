"""ONNX in int8: QDQ pairs, weights per channel, and what stays in float where it has to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper

from fas_core import ModelError, ModelFile
from fas_core.contracts import Scorer, Verification
from fas_core.testing import score_images, verify_on
from fas_plugins.exporters import onnx as exporter
from fas_plugins.exporters.options import OnnxOptions

INT8 = OnnxOptions(form="int8")
EVEN = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Normalisation whose zero is about a byte, so that a border of zeros is one of bytes, too."""


def widest_weight(path: Path) -> int:
    """The largest |weight| of the convolutions, in steps of their scale."""
    graph = onnx.load(path).graph
    made = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    named = {made.get(node.input[1]) for node in graph.node if node.op_type == "Conv"}
    found = [numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.name in named]
    return max(int(np.abs(weights.astype(int)).max()) for weights in found)


def quantized_weights(path: Path) -> dict[str, Any]:
    """Return the scales, one per channel, of every quantized convolution and linear layer."""
    graph = onnx.load(path).graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    made = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
    found = {}
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm") and (weight := made.get(node.input[1])) is not None:
            assert stored[weight.input[0]].data_type == TensorProto.INT8
            found[node.name] = numpy_helper.to_array(stored[weight.input[1]])
    return found


def test_weights_per_channel(make_model: Any, faces: Any, make_card: Any, tmp_path: Path) -> None:
    model, images = make_model(("rgb", "ir")), faces(("rgb", "ir"), 12)
    path, card = tmp_path / "model.onnx", make_card(("rgb", "ir"))
    done = exporter.export(INT8, model, images, path, card, verify_on(model, images))
    assert 0 < done.verification.max_difference < 0.05
    assert done.facts["calibrated on"] == 12
    scales = quantized_weights(path)
    assert done.facts["int8 layers"] == f"{len(scales)} of {len(scales)}"
    assert sorted(scale.size for scale in scales.values()) == [2, 6, 6, 8, 8]
    kinds = Counter(node.op_type for node in onnx.load(path).graph.node)
    assert kinds["QuantizeLinear"] > 0
    assert kinds["Softmax"] == 1
    written = ModelFile(path)
    assert written.card == card
    assert not np.array_equal(written(images), written({"rgb": images["ir"], "ir": images["rgb"]}))


def list_kernels(path: Path, folder: Path) -> Counter[str]:
    """Count the operators that onnxruntime runs."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)


@pytest.mark.parametrize("grid", [None, 3])
def test_onnxruntime_computes_in_integers_from_bytes_to_logits(
    grid: int | None, make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model, images = make_model(grid=grid, normalize=EVEN), faces(("rgb",), 12)
    path = tmp_path / "model.onnx"
    done = exporter.export(INT8, model, images, path, make_card(), verify_on(model, images))
    assert done.verification.max_difference < 0.05
    kinds = list_kernels(path, tmp_path)
    assert kinds["QLinearConv"] == 2
    assert not {"Conv", "AveragePool", "QLinearAveragePool", "Cast", "Mul", "Add"} & set(kinds)
    # What is float is the mean of the last map and the softmax.
    assert kinds["QuantizeLinear"] <= 1
    many = faces(("rgb",), 5)
    np.testing.assert_allclose(ModelFile(path)(many), score_images(model, many), atol=0.05)


def test_fewer_bits_come_first_then_the_layers_next_to_the_score_become_float(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model, images, tried, widest = make_model(), faces(("rgb",), 6), [], []

    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        tried.append(set(quantized_weights(next(tmp_path.glob("**/*.onnx")))))
        widest.append(widest_weight(next(tmp_path.glob("**/*.onnx"))))
        if len(tried) < 5:
            raise ModelError("not yet")
        return Verification(6, "dev", 0.0, 0.0)

    done = exporter.export(INT8, model, images, tmp_path / "model.onnx", make_card(), verify)
    assert tried[0] == tried[1] > tried[2] == tried[3] > tried[4]
    assert [value <= 64 for value in widest] == [False, True, False, True, False]
    assert done.facts["int8 layers"] == f"{len(tried[4])} of {len(tried[0])}"
    assert done.facts["bits of weights"] == 8
    graph = onnx.load(done.path).graph
    order = [node.name for node in graph.node if node.name in tried[0]]
    assert tried[4] == set(order[: len(tried[4])])


def test_nothing_is_written_when_no_variant_passes(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        raise ModelError("worse")

    with pytest.raises(ModelError, match="worse"):
        exporter.export(INT8, make_model(), faces(("rgb",), 4), tmp_path / "m.onnx", make_card(), verify)
    assert not list(tmp_path.iterdir())
