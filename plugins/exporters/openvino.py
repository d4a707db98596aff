"""OpenVINO's intermediate representation: `.xml` with its weights in a `.bin` beside it.

It is read from our ONNX graph by OpenVINO itself, int8 from the quantized one: NNCF's own quantization of
the same networks was further off (docs/export.md), and sends usage data unless told not to.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import onnx

from fas_core.atomic import replacing_all
from fas_core.card import METADATA_KEY, Card
from fas_core.contracts import Exported, Images, Verification, Verify
from fas_core.errors import FasError, ModelError
from fas_core.models.model import Model
from fas_core.runtime import ModelFile
from fas_plugins.exporters.agreement import agree
from fas_plugins.exporters.forms import held, write_as
from fas_plugins.exporters.leftovers import leftovers
from fas_plugins.exporters.options import OpenVinoOptions
from fas_plugins.exporters.tracing import Traced, reason, trace

OPSET = 18


def export(
    options: OpenVinoOptions, model: Model, samples: Images, destination: Path, card: Card, verify: Verify
) -> Exported:
    """Write the model for OpenVINO, by default for one sample a call, with the card in its `rt_info`.

    Inputs and outputs are those of the ONNX exporter. In fp32 all outputs are compared with torch's; then the
    scores are verified.

    Raises:
        DataError: there are no samples, or nothing that a pruned graph could be held to.
        ModelError: the model cannot be converted, or the result differs from it; no file is left then.
        FasError: OpenVINO is not installed, or the destination cannot be written.
    """
    _openvino(destination)
    traced = trace(model, samples, card, OPSET, destination)
    facts: dict[str, str | int] = {
        "batch": 1 if options.static else "any",
        "left over": leftovers(traced.graph),
    }

    def write(proto: onnx.ModelProto) -> Verification:
        return _write(proto, options, traced, destination, card, verify)

    verification, more = write_as(options.form, traced.graph, samples, destination, write)
    return Exported(destination, verification, (destination.with_suffix(".bin"),), facts | more)


def _write(
    proto: onnx.ModelProto,
    options: OpenVinoOptions,
    traced: Traced,
    destination: Path,
    card: Card,
    verify: Verify,
) -> Verification:
    openvino = _openvino(destination)
    try:
        converted = openvino.Core().read_model(BytesIO(proto.SerializeToString()))
    except RuntimeError as error:
        raise ModelError(f"{destination}: OpenVINO cannot convert this model: {reason(error)}") from error
    if options.static:
        shapes = {value: value.get_partial_shape() for value in converted.inputs}
        for shape in shapes.values():
            shape[0] = 1
        converted.reshape(shapes)
    converted.set_rt_info(card.to_json(), [METADATA_KEY])
    with replacing_all(destination, destination.with_suffix(".bin")) as (temporary, _):
        openvino.save_model(converted, temporary, compress_to_fp16=False)
        written = ModelFile(temporary, threads=1)
        tolerance = options.allowed(options.form)
        if options.form == "fp32" and tolerance is not None:
            agree(written.outputs, traced, tolerance, f"{destination}: not written: OpenVINO")
        found = verify(written, tolerance=tolerance, acer_loss=options.acer_loss)
        return held(options.form, found, tolerance, destination)


def _openvino(destination: Path) -> Any:
    try:
        import openvino
    except ImportError as error:
        raise FasError(f"{destination}: needs openvino: pip install 'fas-core[openvino]'") from error
    return openvino
