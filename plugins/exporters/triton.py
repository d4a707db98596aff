"""NVIDIA Triton Inference Server: a model's folder in its repository, around our ONNX file.

The layout is the server's own (docs/user_guide/model_repository.md and model_configuration.md of
triton-inference-server/server): `NAME/config.pbtxt`, `NAME/1/model.onnx`, `NAME/labels.txt`.
"""

from __future__ import annotations

import json
from pathlib import Path

import onnx
from onnx import TensorProto

from fas_core.atomic import replacing
from fas_core.card import LABELS, Card
from fas_core.contracts import Exported, Images, Verify
from fas_core.errors import FasError
from fas_core.models.model import Model
from fas_plugins.exporters import onnx as onnx_exporter
from fas_plugins.exporters.options import TritonOptions

CONFIG, LABEL_FILE, MODEL = "config.pbtxt", "labels.txt", Path("1", "model.onnx")
TYPES: dict[int, str] = {
    TensorProto.UINT8: "TYPE_UINT8",
    TensorProto.FLOAT: "TYPE_FP32",
    TensorProto.BOOL: "TYPE_BOOL",
}
LOGITS = "logits"


def export(
    options: TritonOptions, model: Model, samples: Images, destination: Path, card: Card, verify: Verify
) -> Exported:
    """Write a folder for Triton's model repository, where the model is called as the folder is.

    Its `model.onnx` is what the ONNX exporter writes, with the same options and the same checks; requests
    are batched by the server.

    Raises:
        FasError: `destination` is there already, or cannot be written.
        DataError, ModelError: as the ONNX exporter's.
    """
    if destination.exists():
        raise FasError(f"{destination}: is there already: remove it or name another folder")
    with replacing(destination) as temporary:
        place = temporary / MODEL
        place.parent.mkdir(parents=True)
        try:
            done = onnx_exporter.export(options, model, samples, place, card, verify)
        except FasError as error:  # which names a place that will be gone
            raise type(error)(error.message.replace(str(place), str(destination)), error.problems) from error
        graph = onnx.load(place).graph
        (temporary / LABEL_FILE).write_text("".join(f"{LABELS[key]}\n" for key in sorted(LABELS)))
        (temporary / CONFIG).write_text(_config(destination.name, graph, options, card), encoding="utf-8")
    beside = (destination / CONFIG, destination / LABEL_FILE)
    return Exported(destination / MODEL, done.verification, beside, done.facts)


def _config(name: str, graph: onnx.GraphProto, options: TritonOptions, card: Card) -> str:
    """The model's `ModelConfig` as protobuf text."""
    blocks = [
        f"name: {_quoted(name)}",
        'backend: "onnxruntime"',
        f"max_batch_size: {options.max_batch}",
        *(f"input {_tensor(value)}" for value in graph.input),
        *(f"output {_tensor(value)}" for value in graph.output),
        f"dynamic_batching {{\n  max_queue_delay_microseconds: {options.queue_delay}\n}}",
    ]
    terms = {"modalities": ",".join(card.modalities), "resize_crop": f"{card.input.resize.crop:g}"}
    if card.threshold is not None:
        terms |= {"threshold": repr(card.threshold.value), "policy": card.threshold.policy}
    blocks += [
        f'parameters {{\n  key: "fas.{key}"\n  value {{ string_value: {_quoted(value)} }}\n}}'
        for key, value in terms.items()
    ]
    return "\n".join(blocks) + "\n"


def _tensor(value: onnx.ValueInfoProto) -> str:
    """An input or output without its batch dimension, which the server adds."""
    found = value.type.tensor_type
    dims = [dim.dim_value for dim in found.shape.dim][1:]
    lines = [f"name: {_quoted(value.name)}", f"data_type: {TYPES[found.elem_type]}"]
    # The server has no vectors of one number a row: it shows (B,) as (B, 1).
    lines += [f"dims: [ {', '.join(map(str, dims))} ]"] if dims else ["dims: [ 1 ]", "reshape { shape: [ ] }"]
    if value.name == LOGITS:
        lines.append(f"label_filename: {_quoted(LABEL_FILE)}")
    return "{\n" + "".join(f"  {line}\n" for line in lines) + "}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
