"""Verification of written files: all outputs, one by one and as a batch, and the check of pruned graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnxscript import ir

from fas_core import DataError, ModelError
from fas_core.contracts import Images, Verification
from fas_plugins.exporters import onnx as exporter
from fas_plugins.exporters.options import OnnxOptions
from fas_plugins.exporters.tracing import Traced
from fas_plugins.exporters.verification import check_outputs

SCORES, LOGITS = np.array([0.1, 0.9, 0.5]), np.array([[2.0, -2], [-200, 200], [0, 0]])
PIXELS = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1).repeat(3, axis=3)
"""Each image holds its row."""

Run = Callable[[Images, NDArray[np.bool_] | None], Mapping[str, NDArray[Any]]]


@pytest.fixture
def traced() -> Traced:
    graph = ir.Model(ir.Graph([], [], nodes=[], opset_imports={"": 18}), ir_version=10)
    expected = {"score": SCORES.astype(np.float32), "logits": LOGITS.astype(np.float32)}
    return Traced(graph, {"rgb": PIXELS}, None, expected)


def build_engine(score: float = 0.0, logits: float = 0.0, batched: bool = False) -> Run:
    """Return an engine that is off by these numbers; `batched`: only where it gets several samples."""

    def run(images: Images, _: NDArray[np.bool_] | None) -> Mapping[str, NDArray[Any]]:
        rows = images["rgb"][:, 0, 0, 0]
        wrong = len(rows) > 1 or not batched
        return {"score": SCORES[rows] + score * wrong, "logits": LOGITS[rows] + logits * wrong}

    return run


def test_equal_outputs_pass(traced: Traced) -> None:
    check_outputs(build_engine(), traced, 1e-6, "test")


@pytest.mark.parametrize("batched", [False, True])
def test_scores_may_differ_by_the_tolerance(traced: Traced, batched: bool) -> None:
    check_outputs(build_engine(score=0.009, batched=batched), traced, 0.01, "test")
    with pytest.raises(
        ModelError, match=r"^m\.onnx: engine and torch differ by 0\.011 in score on 3 samples"
    ):
        check_outputs(build_engine(score=0.011, batched=batched), traced, 0.01, "m.onnx: engine")


def test_logits_may_differ_in_proportion_to_the_largest(traced: Traced) -> None:
    check_outputs(build_engine(logits=1.9), traced, 0.01, "test")
    with pytest.raises(ModelError, match=r"differ by 2\.1 in logits .* more than 2 allows"):
        check_outputs(build_engine(logits=2.1), traced, 0.01, "test")


def test_nan_does_not_pass(traced: Traced) -> None:
    with pytest.raises(ModelError, match="differ by nan in score"):
        check_outputs(build_engine(score=np.nan), traced, 1.0, "test")


def test_a_pruned_graph_needs_an_error_rate_or_a_tolerance(
    make_model: Any, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    model, images, path = make_model(), faces(("rgb",), 8), tmp_path / "model.onnx"

    def export(acer: float | None, **options: Any) -> None:
        result = Verification(8, "dev", 0.0, 0.0, acer_before=acer, acer_after=acer, unverified=("no label",))
        exporter.export(
            OnnxOptions(form="pruned", **options), model, images, path, make_card(), lambda *_, **__: result
        )

    with pytest.raises(
        DataError, match=r"model\.onnx: not written: .* ACER on dev.* \(no label\).* tolerance="
    ):
        export(None)
    assert not list(tmp_path.iterdir())
    export(0.1)
    export(None, tolerance=1.0)
