"""Tracing: torch's outputs beside the graph, and a silent exporter."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from attrs import evolve
from onnxscript import ir

from fas_core import DataError, Threshold
from fas_core.testing import score_images
from fas_plugins.exporters import tracing
from fas_plugins.exporters.tracing import TRACED, copy_for_tracing, describe_error, silence, trace_model

MODALITIES = ("rgb", "depth")


def test_every_subset_of_the_modalities_is_traced(make_model: Any, faces: Any, make_card: Any) -> None:
    model, images = make_model(MODALITIES, partial=True), faces(MODALITIES, 5)
    traced = trace_model(model, images, make_card(MODALITIES, partial=True), Path("model.onnx"))
    assert traced.presence is not None
    assert traced.presence.tolist() == [
        [True, True],
        [True, False],
        [False, True],
        [True, True],
        [True, False],
    ]
    np.testing.assert_allclose(
        traced.expected["score"], score_images(model, images, traced.presence), atol=1e-6
    )
    assert traced.expected["logits"].shape == (5, 2)


def test_few_samples_are_traced(make_model: Any, faces: Any, make_card: Any) -> None:
    traced = trace_model(make_model(), faces(("rgb",), TRACED + 1), make_card(), Path("model.onnx"))
    assert traced.presence is None
    assert len(traced.samples["rgb"]) == len(traced.expected["score"]) == TRACED
    assert [value.name for value in traced.graph.graph.inputs] == ["rgb"]


def test_forms_of_a_model_are_of_one_conversion(
    make_model: Any, faces: Any, make_card: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until a weight changes, or the size of a batch; each has a graph of its own to rewrite."""
    sizes: list[int | None] = []

    def convert(model: Any, inputs: Any, outputs: list[str], batch: int | None) -> Any:
        sizes.append(batch)
        return converted(model, inputs, outputs, batch)

    converted = tracing._convert
    monkeypatch.setattr(tracing, "_convert", convert)
    model, images = make_model(), faces(("rgb",), 2)

    def trace(batch: int | None = None, threshold: float = 0.5) -> Any:
        card = evolve(make_card(), threshold=Threshold(threshold, "eer", "dev"))
        return ir.to_proto(trace_model(model, images, card, Path("model.onnx"), batch).graph)

    first, again, other = trace(), trace(), trace(threshold=0.25)
    assert first.SerializeToString(deterministic=True) == again.SerializeToString(deterministic=True)
    assert other.graph == first.graph
    assert other.metadata_props != first.metadata_props
    assert sizes == [None]
    with torch.no_grad():
        model.get_parameter("backbones.rgb.head.weight").add_(1)
    assert trace().graph != first.graph
    trace(3)
    assert sizes == [None, None, 3]


def test_no_samples_are_an_error(make_model: Any, faces: Any, make_card: Any) -> None:
    with pytest.raises(DataError, match=r"model\.onnx: no samples"):
        trace_model(make_model(), faces(("rgb",), 0), make_card(), Path("model.onnx"))


def test_the_copy_has_no_in_place_operations(make_model: Any) -> None:
    model = make_model().train()
    copied = copy_for_tracing(model)
    assert not copied.training
    assert model.training
    assert any(getattr(module, "inplace", False) for module in model.modules())
    assert not any(getattr(module, "inplace", False) for module in copied.modules())


def test_silence_hides_output_but_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("torch")
    before = logger.level
    with silence():
        sys.stdout.write("progress")
        sys.stderr.write("more")
        warnings.warn("deprecated", stacklevel=1)
    with pytest.raises(ValueError, match="real"), silence():
        raise ValueError("real")
    assert capsys.readouterr() == ("", "")
    assert logger.level == before


def test_an_error_is_described_by_the_first_line_of_its_cause() -> None:
    cause = ValueError("the cause\nand details")
    error = RuntimeError("the wrapper")
    error.__cause__ = cause
    assert describe_error(error) == "the cause"
    assert describe_error(KeyboardInterrupt()) == "KeyboardInterrupt"
