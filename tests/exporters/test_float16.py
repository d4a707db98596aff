"""ONNX in float16: which values are converted, and how much the scores differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto

from fas_core import ModelError, ModelFile
from fas_core.testing import verify_on
from fas_plugins.exporters import onnx as exporter
from fas_plugins.exporters.options import OnnxOptions

MODALITIES = ("rgb", "depth", "ir")
FP16 = OnnxOptions(form="fp16")


@pytest.mark.parametrize("partial", [False, True])
def test_bytes_in_and_float32_out(
    partial: bool, make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model, images = make_model(MODALITIES, partial=partial), faces(MODALITIES, 5)
    path, card = tmp_path / "model.onnx", make_card(MODALITIES, partial=partial)
    done = exporter.export(FP16, model, images, path, card, verify_on(model, images))
    assert 0 < done.verification.max_difference < 5e-3
    graph = onnx.load(path).graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)}
    assert [kinds[name] for name in MODALITIES] == [TensorProto.UINT8] * 3
    assert kinds["score"] == kinds["logits"] == TensorProto.FLOAT
    weights = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm"):
            assert {weights[name].data_type for name in node.input[1:]} == {TensorProto.FLOAT16}
    # Normalisation: the shift and scale of pixels, here the same for every modality, are as they were.
    assert sum(tensor.data_type == TensorProto.FLOAT for tensor in graph.initializer) == 2
    found = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(
        ["score"], images | ({"presence": np.ones((5, 3), bool)} if partial else {})
    )
    np.testing.assert_array_equal(found[0].astype(np.float64), ModelFile(path)(images))


def test_nothing_is_written_when_scores_differ_too_much(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model, images = make_model(), faces(("rgb",), 4)
    options = OnnxOptions(form="fp16", tolerance=1e-9)
    with pytest.raises(ModelError, match="differ by"):
        exporter.export(options, model, images, tmp_path / "m.onnx", make_card(), verify_on(model, images))
    assert not list(tmp_path.iterdir())
