"""The exporters: they write a trained model for other runtimes."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Exporter, hookimpl
from fas_plugins.exporters.options import (
    ExecuTorchOptions,
    OnnxOptions,
    OpenVinoOptions,
    TorchOptions,
    TritonOptions,
    WebOptions,
)


@hookimpl
def fas_exporters() -> Iterator[Exporter]:
    yield Exporter(
        name="onnx",
        summary="One ONNX file with preprocessing inside: bytes in, P(live) and logits out",
        target="fas_plugins.exporters.onnx:export",
        options=OnnxOptions,
        suffix=".onnx",
        forms=("fp32", "fp16", "int8", "pruned", "pruned-int8"),
        source="Open Neural Network Exchange (onnx.ai)",
    )
    yield Exporter(
        name="openvino",
        summary="OpenVINO's .xml and .bin, one sample per call: the fastest on Intel's CPUs",
        target="fas_plugins.exporters.openvino:export",
        options=OpenVinoOptions,
        suffix=".xml",
        beside=(".bin",),
        forms=("fp32", "int8", "pruned", "pruned-int8"),
        source="OpenVINO intermediate representation (docs.openvino.ai)",
    )
    yield Exporter(
        name="torch",
        summary="A torch.export program: runs in PyTorch without the model's code",
        target="fas_plugins.exporters.program:export",
        options=TorchOptions,
        suffix=".pt2",
        source="torch.export (docs.pytorch.org)",
    )
    yield Exporter(
        name="executorch",
        summary="An ExecuTorch program with XNNPACK's kernels, for phones and other devices",
        target="fas_plugins.exporters.executorch:export",
        options=ExecuTorchOptions,
        suffix=".pte",
        source="ExecuTorch (docs.pytorch.org/executorch)",
    )
    yield Exporter(
        name="triton",
        summary="A folder of Triton's model repository: the ONNX file and its serving configuration",
        target="fas_plugins.exporters.triton:export",
        options=TritonOptions,
        suffix="",
        forms=("fp32", "fp16", "int8", "pruned", "pruned-int8"),
        source="Triton Inference Server (github.com/triton-inference-server)",
    )
    yield Exporter(
        name="web",
        summary="A folder for any web server: a page that scores the webcam in the browser",
        target="fas_plugins.exporters.web.export:export",
        options=WebOptions,
        suffix="",
        forms=("fp32", "int8", "pruned", "pruned-int8"),
        fetches="onnxruntime-web",
        source="ONNX Runtime Web (onnxruntime.ai)",
    )
