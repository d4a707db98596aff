"""OpenVINO's intermediate representation: `.xml` with its weights in a `.bin` beside it.

OpenVINO itself converts the ONNX graph, for int8 the quantized one: NNCF's quantization of the same networks
differed more (docs/export.md).
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import onnx

from fas_core.atomic import replacing_all
from fas_core.card import METADATA_KEY, Card
from fas_core.contracts import Exported, Images, TrainingImages, Verification, Verify
from fas_core.digests import seal_model_file
from fas_core.errors import FasError, ModelError
from fas_core.library_settings import import_openvino, openvino_core
from fas_core.models.model import Model
from fas_plugins.exporters.forms import write_form
from fas_plugins.exporters.graph import Facts
from fas_plugins.exporters.options import OpenVinoOptions
from fas_plugins.exporters.recovery import build_recovery
from fas_plugins.exporters.redundant_nodes import describe_redundant_nodes
from fas_plugins.exporters.tracing import Traced, describe_error, trace_model
from fas_plugins.exporters.verification import verify_file


def export(
    options: OpenVinoOptions,
    model: Model,
    samples: Images,
    destination: Path,
    card: Card,
    verify: Verify,
    training: TrainingImages | None = None,
) -> Exported:
    """Write the model for OpenVINO, by default for one sample per call, with the card in its `rt_info`.

    Inputs and outputs are those of the ONNX exporter. In fp32 all outputs are compared with torch's; then the
    scores are verified.

    Raises:
        DataError: there are no samples, or neither ACER nor a tolerance to check a pruned graph by.
        ModelError: the model cannot be converted, or the result differs from it; no file is written then.
        FasError: OpenVINO is not installed, or the destination cannot be written.
    """
    import_openvino(destination)
    traced = trace_model(model, samples, card, destination)
    facts: Facts = {
        "batch": 1 if options.static else "any",
        "left over": describe_redundant_nodes(traced.graph),
    }

    def write(proto: onnx.ModelProto, path: Path) -> Verification:
        return _write(proto, options, traced, path, destination, card, verify)

    recovery = build_recovery(options.recover, training)
    verification, form_facts = write_form(
        options.form, traced.graph, samples, destination, write, "openvino", recovery
    )
    return Exported(destination, verification, (destination.with_suffix(".bin"),), facts | form_facts)


def _write(
    proto: onnx.ModelProto,
    options: OpenVinoOptions,
    traced: Traced,
    path: Path,
    destination: Path,
    card: Card,
    verify: Verify,
) -> Verification:
    """Write a graph to a path, which messages call `destination`, and verify it."""
    openvino = import_openvino(destination)
    try:
        converted = openvino_core(destination).read_model(BytesIO(proto.SerializeToString()))
    except RuntimeError as error:
        raise ModelError(
            f"{destination}: OpenVINO cannot convert this model: {describe_error(error)}"
        ) from error
    if options.static:
        shapes = {value: value.get_partial_shape() for value in converted.inputs}
        for shape in shapes.values():
            shape[0] = 1
        converted.reshape(shapes)
    converted.set_rt_info(card.to_json(), [METADATA_KEY])
    with replacing_all(path, path.with_suffix(".bin")) as (temporary, _):
        try:
            openvino.save_model(converted, temporary, compress_to_fp16=False)
        except RuntimeError as error:
            reason = describe_error(error)
            raise FasError(f"{destination}: cannot be written; is the disk full? ({reason})") from error
        seal_model_file(temporary)
        return verify_file(temporary, options, traced, verify, "OpenVINO", destination)
