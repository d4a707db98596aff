"""ONNX: one file that takes bytes and gives scores, compared with torch before it is left in place."""

from __future__ import annotations

from pathlib import Path

import onnx

from fas_core.atomic import replacing
from fas_core.card import Card
from fas_core.contracts import Exported, Images, Verification, Verify
from fas_core.errors import ModelError
from fas_core.models.model import Model
from fas_core.runtime import ModelFile
from fas_plugins.exporters.agreement import agree
from fas_plugins.exporters.forms import held, write_as
from fas_plugins.exporters.leftovers import leftovers
from fas_plugins.exporters.options import OnnxOptions
from fas_plugins.exporters.splitting import split_groups
from fas_plugins.exporters.tracing import Traced, reason, trace


def export(
    options: OnnxOptions, model: Model, samples: Images, destination: Path, card: Card, verify: Verify
) -> Exported:
    """Write the model as one ONNX file with dynamic batch size and the card in its metadata.

    Inputs: `{modality: uint8 (B, H, W, 3)}` and, of a model that can do without some of them, `presence`:
    bool (B, modalities). Outputs: `score` (B,) and, of classifiers, `logits` (B, K), float32.
    The file is checked by onnx and run by onnxruntime; in fp32 all its outputs are compared with torch's, as
    one batch and one by one; then its scores are verified.

    Raises:
        DataError: there are no samples, or nothing that a pruned graph could be held to.
        ModelError: the model cannot be converted, or the result differs from it; no file is left then.
        FasError: the destination cannot be written.
    """
    traced = trace(model, samples, card, options.opset, destination)
    split_groups(traced.graph)
    facts: dict[str, str | int] = {"opset": options.opset, "left over": leftovers(traced.graph)}

    def write(proto: onnx.ModelProto) -> Verification:
        return _write(proto, options, traced, destination, verify)

    verification, more = write_as(options.form, traced.graph, samples, destination, write)
    return Exported(destination, verification, facts=facts | more)


def _write(
    proto: onnx.ModelProto, options: OnnxOptions, traced: Traced, destination: Path, verify: Verify
) -> Verification:
    with replacing(destination) as temporary:
        temporary.write_bytes(proto.SerializeToString(deterministic=True))
        try:
            onnx.checker.check_model(temporary, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ModelError(f"{destination}: not written: {reason(error)}") from error
        written = ModelFile(temporary, threads=1)
        tolerance = options.allowed(options.form)
        if options.form == "fp32" and tolerance is not None:
            agree(written.outputs, traced, tolerance, f"{destination}: not written: onnxruntime")
        found = verify(written, tolerance=tolerance, acer_loss=options.acer_loss)
        return held(options.form, found, tolerance, destination)
