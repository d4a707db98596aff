"""The runtimes: they open model files and compute scores with them."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Runtime, hookimpl


@hookimpl
def fas_runtimes() -> Iterator[Runtime]:
    yield Runtime(
        name="onnx",
        summary="ONNX files, by onnxruntime on the CPU or another device",
        target="fas_plugins.runtimes.onnx:OnnxEngine",
        suffixes=(".onnx",),
        devices="fas_plugins.runtimes.onnx:list_devices",
        card_writer="fas_plugins.runtimes.onnx_card:write_card",
        source="onnxruntime (onnxruntime.ai)",
    )
    yield Runtime(
        name="openvino",
        summary="OpenVINO's .xml with its .bin, on the CPU or another device",
        target="fas_plugins.runtimes.openvino:OpenVinoEngine",
        suffixes=(".xml",),
        beside=(".bin",),
        devices="fas_plugins.runtimes.openvino:list_devices",
        card_writer="fas_plugins.runtimes.openvino_card:write_card",
        source="OpenVINO (docs.openvino.ai)",
    )
    yield Runtime(
        name="torch",
        summary="torch.export programs, by PyTorch on the CPU; of files that are trusted",
        target="fas_plugins.runtimes.program:open_program",
        suffixes=(".pt2",),
        runs_code=True,
        source="torch.export (docs.pytorch.org)",
    )
    yield Runtime(
        name="executorch",
        summary="ExecuTorch programs, by its runtime on the CPU; of files that are trusted",
        target="fas_plugins.runtimes.executorch:ExecuTorchEngine",
        suffixes=(".pte",),
        runs_code=True,
        source="ExecuTorch (docs.pytorch.org/executorch)",
    )
