"""The forms of a graph: fp32, fp16, int8 and pruned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
from onnxscript import ir

from fas_core.contracts import Images, Verification
from fas_core.errors import ModelError
from fas_plugins.exporters.float16 import convert_to_float16
from fas_plugins.exporters.graph import Facts
from fas_plugins.exporters.grouped_convolutions import split_grouped_convolutions
from fas_plugins.exporters.pruning import prune_variants
from fas_plugins.exporters.quantizing import Engine, quantize_variants

Write = Callable[[onnx.ModelProto], Verification]


def write_form(
    form: str,
    model: ir.Model,
    samples: Images,
    destination: Path,
    write: Write,
    engine: Engine = "onnxruntime",
) -> tuple[Verification, Facts]:
    """Write a graph in a form; of a form with variants, the strongest that passes the verification.

    Args:
        form: fp32, fp16, int8 or pruned.
        model: the graph in float32.
        samples: samples to calibrate with.
        destination: the file, for messages.
        write: writes and verifies a graph; raises ModelError if it does not pass.
        engine: what the graph is to be fast in.

    Returns:
        The result of `write`, and the facts of the variant.

    Raises:
        ModelError: no variant passes, or the graph has no such form.
    """
    failure = ModelError(
        f"{destination}: not written: this model has no hidden channels that could be pruned"
    )
    for proto, facts in _list_variants(form, model, samples, engine):
        try:
            return write(proto), facts
        except ModelError as error:
            failure = error
    raise failure


def _list_variants(
    form: str, model: ir.Model, samples: Images, engine: Engine
) -> Iterator[tuple[onnx.ModelProto, Facts]]:
    """Yield the variants of a form and their facts, the strongest first."""
    if form == "int8":
        yield from quantize_variants(model, samples, engine)
        return
    if engine == "onnxruntime":
        split_grouped_convolutions(model)
    if form == "pruned":
        for pruned, facts in prune_variants(model, samples):
            yield ir.to_proto(pruned), facts
    else:
        if form == "fp16":
            convert_to_float16(model)
        yield ir.to_proto(model), {}
