"""Options of the exporters."""

from __future__ import annotations

from typing import Any

import pytest

from fas_core import ConfigError, Exporter
from fas_core.testing import find_component, read_options
from fas_plugins.exporters.options import OnnxOptions


@pytest.mark.parametrize(
    ("form", "tolerance"), [("fp32", 1e-4), ("fp16", 2e-2), ("int8", None), ("pruned", None)]
)
def test_each_form_has_a_default_tolerance(form: str, tolerance: float | None) -> None:
    assert OnnxOptions().choose_tolerance(form) == tolerance
    assert OnnxOptions(tolerance=0.5).choose_tolerance(form) == 0.5


@pytest.mark.parametrize(
    ("exporter", "tree", "problem"),
    [
        ("onnx", {"opset": 10}, "opset: must be >= 11, the first whose Clip and Resize"),
        ("onnx", {"tolerance": 0}, "tolerance: must be > 0: 0"),
        ("onnx", {"acer_loss": -0.1}, "acer_loss: must be >= 0"),
        ("onnx", {"form": "int4"}, "form"),
        ("openvino", {"form": "fp16"}, "form"),
        ("web", {"form": "fp16"}, "form"),
        ("triton", {"max_batch": 0}, "max_batch: must be >= 1"),
    ],
)
def test_options_out_of_range_are_refused(exporter: str, tree: dict[str, Any], problem: str) -> None:
    options = find_component(Exporter, exporter).options
    with pytest.raises(ConfigError, match=problem):
        read_options(options, tree)
