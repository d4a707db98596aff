"""Exporters: what writes a trained model for other runtimes."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Exporter, hookimpl
from fas_plugins.exporters.options import OnnxOptions


@hookimpl
def fas_exporters() -> Iterator[Exporter]:
    yield Exporter(
        name="onnx",
        summary="One ONNX file with preprocessing inside: bytes in, P(live) and logits out",
        target="fas_plugins.exporters.onnx:export",
        options=OnnxOptions,
        suffix=".onnx",
        source="Open Neural Network Exchange (onnx.ai)",
    )
