"""NVIDIA Triton Inference Server: a folder of its model repository around the exported ONNX file.

The layout is the server's own (docs/user_guide/model_repository.md and model_configuration.md of
triton-inference-server/server): `NAME/config.pbtxt`, `NAME/1/model.onnx`, `NAME/labels.txt`.
"""

from __future__ import annotations

import json
from pathlib import Path

import onnx
from onnx import TensorProto

from fas_core.card import LABELS, Card
from fas_core.contracts import Exported, Images, TrainingImages, Verify
from fas_core.models.model import Model
from fas_plugins.exporters.folders import replacing_folder
from fas_plugins.exporters.onnx import write_graph
from fas_plugins.exporters.options import TritonOptions
from fas_plugins.exporters.tracing import trace_model

CONFIG, LABEL_FILE, MODEL = "config.pbtxt", "labels.txt", Path("1", "model.onnx")
TYPES: dict[int, str] = {
    TensorProto.UINT8: "TYPE_UINT8",
    TensorProto.FLOAT: "TYPE_FP32",
    TensorProto.BOOL: "TYPE_BOOL",
}
LOGITS = "logits"


def export(
    options: TritonOptions,
    model: Model,
    samples: Images,
    destination: Path,
    card: Card,
    verify: Verify,
    training: TrainingImages | None = None,
) -> Exported:
    """Write a folder for Triton's model repository; the model has the folder's name.

    Its `model.onnx` is written by the ONNX exporter, with the same options and checks; the server batches
    requests.

    Raises:
        FasError: `destination` exists, or cannot be written.
        DataError, ModelError: as raised by the ONNX exporter.
    """
    with replacing_folder(destination, str(MODEL)) as path:
        traced = trace_model(model, samples, card, path)
        exported = write_graph(options, traced, samples, path, verify, training=training)
        graph, folder = onnx.load(path).graph, path.parent.parent
        (folder / LABEL_FILE).write_text("".join(f"{LABELS[key]}\n" for key in sorted(LABELS)))
        (folder / CONFIG).write_text(_format_config(destination.name, graph, options, card), encoding="utf-8")
    beside = (destination / CONFIG, destination / LABEL_FILE)
    return Exported(destination / MODEL, exported.verification, beside, exported.facts)


def _format_config(name: str, graph: onnx.GraphProto, options: TritonOptions, card: Card) -> str:
    """Return the model's `ModelConfig` as protobuf text."""
    blocks = [
        f"name: {_quote(name)}",
        'backend: "onnxruntime"',
        f"max_batch_size: {options.max_batch}",
        *(f"input {_format_tensor(value)}" for value in graph.input),
        *(f"output {_format_tensor(value)}" for value in graph.output),
        f"dynamic_batching {{\n  max_queue_delay_microseconds: {options.queue_delay}\n}}",
    ]
    terms = {"modalities": ",".join(card.modalities), "resize_crop": f"{card.input.resize.crop:g}"}
    if card.threshold is not None:
        terms |= {"threshold": repr(card.threshold.value), "policy": card.threshold.policy}
    blocks += [
        f'parameters {{\n  key: "fas.{key}"\n  value {{ string_value: {_quote(value)} }}\n}}'
        for key, value in terms.items()
    ]
    return "\n".join(blocks) + "\n"


def _format_tensor(value: onnx.ValueInfoProto) -> str:
    """Format an input or output without its batch dimension, which the server adds."""
    tensor = value.type.tensor_type
    dims = [dim.dim_value for dim in tensor.shape.dim][1:]
    lines = [f"name: {_quote(value.name)}", f"data_type: {TYPES[tensor.elem_type]}"]
    # The server has no scalars per sample: it serves (B,) as (B, 1).
    lines += [f"dims: [ {', '.join(map(str, dims))} ]"] if dims else ["dims: [ 1 ]", "reshape { shape: [ ] }"]
    if value.name == LOGITS:
        lines.append(f"label_filename: {_quote(LABEL_FILE)}")
    return "{\n" + "".join(f"  {line}\n" for line in lines) + "}"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
