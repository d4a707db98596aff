"""ONNX: one file from bytes to scores, compared with torch before it gets its name."""

from __future__ import annotations

from pathlib import Path

import onnx

from fas_core.atomic import replacing
from fas_core.card import Card
from fas_core.contracts import Exported, Images, TrainingImages, Verification, Verify
from fas_core.digests import seal_model_file
from fas_core.errors import ConfigError, ModelError
from fas_core.models.model import Model
from fas_plugins.exporters.forms import write_form
from fas_plugins.exporters.graph import Facts
from fas_plugins.exporters.opsets import convert_opset
from fas_plugins.exporters.options import GraphOptions, OnnxOptions
from fas_plugins.exporters.recovery import build_recovery
from fas_plugins.exporters.redundant_nodes import describe_redundant_nodes
from fas_plugins.exporters.tracing import Traced, describe_error, trace_model
from fas_plugins.exporters.verification import verify_file


def export(
    options: OnnxOptions,
    model: Model,
    samples: Images,
    destination: Path,
    card: Card,
    verify: Verify,
    training: TrainingImages | None = None,
) -> Exported:
    """Write the model as one ONNX file with the card in its metadata, for any batch size or a fixed one.

    Inputs: `{modality: uint8 (B, H, W, 3)}` and, of a model that accepts missing modalities, `presence`: bool
    (B, modalities). Outputs: `score` (B,) and, of classifiers, `logits` (B, K), float32.
    onnx checks the file and onnxruntime runs it; in fp32 all its outputs are compared with torch's, as one
    batch and one by one; then its scores are verified.

    Raises:
        DataError: there are no samples, or neither ACER nor a tolerance to check a pruned graph by.
        ModelError: the model cannot be converted, or the result differs from it; no file is written then.
        ConfigError: a graph of a fixed batch size is to be recovered.
        FasError: the destination cannot be written.
    """
    batch = options.static_batch
    if batch is not None and options.recover:
        raise ConfigError("recover trains by batches of the recipe's size: leave static_batch out")
    traced = trace_model(model, samples, card, destination, batch)
    facts: Facts = {} if batch is None else {"batch": batch}
    return write_graph(options, traced, samples, destination, verify, facts, training)


def write_graph(
    options: GraphOptions,
    traced: Traced,
    samples: Images,
    destination: Path,
    verify: Verify,
    facts: Facts | None = None,
    training: TrainingImages | None = None,
) -> Exported:
    """Write a traced model in the form and opset of the options, see `export`, with further `facts`."""
    redundant = describe_redundant_nodes(traced.graph)
    facts = {"opset": options.opset, **(facts or {}), "left over": redundant}

    def write(proto: onnx.ModelProto, path: Path) -> Verification:
        return _write(convert_opset(proto, options.opset), options, traced, path, destination, verify)

    recovery = build_recovery(options.recover, training)
    verification, form_facts = write_form(
        options.form, traced.graph, samples, destination, write, recovery=recovery
    )
    return Exported(destination, verification, facts=facts | form_facts)


def _write(
    proto: onnx.ModelProto,
    options: GraphOptions,
    traced: Traced,
    path: Path,
    destination: Path,
    verify: Verify,
) -> Verification:
    """Write a graph to a path, which messages call `destination`, and verify it."""
    with replacing(path) as temporary:
        temporary.write_bytes(proto.SerializeToString(deterministic=True))
        try:
            onnx.checker.check_model(temporary, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ModelError(f"{destination}: not written: {describe_error(error)}") from error
        seal_model_file(temporary)
        return verify_file(temporary, options, traced, verify, "onnxruntime", destination)
