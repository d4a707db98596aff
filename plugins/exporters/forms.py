"""The forms of a graph: fp32, fp16, int8, pruned and pruned-int8."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
from onnxscript import ir

from fas_core.atomic import temporary_folder
from fas_core.contracts import Images, Verification
from fas_core.errors import ModelError
from fas_plugins.exporters.float16 import convert_to_float16
from fas_plugins.exporters.graph import Facts
from fas_plugins.exporters.grouped_convolutions import split_grouped_convolutions
from fas_plugins.exporters.pruning import prune_variants
from fas_plugins.exporters.quantizing import FLOAT_SHARES, Engine, quantize_variants
from fas_plugins.exporters.recovery import Recovery

Write = Callable[[onnx.ModelProto, Path], Verification]
"""Writes a graph to a path and verifies it; raises ModelError, and leaves no file, if it does not pass."""

Variants = Iterator[tuple[onnx.ModelProto, Facts]]

INT8_STEP = 16
"""Channels of a pruned graph in int8: onnxruntime's 8-bit depth-wise kernels take multiples of this alone."""


def write_form(
    form: str,
    model: ir.Model,
    samples: Images,
    destination: Path,
    write: Write,
    engine: Engine = "onnxruntime",
    recovery: Recovery | None = None,
) -> tuple[Verification, Facts]:
    """Write a graph in a form; of a form with variants, the strongest that passes the verification.

    Args:
        form: fp32, fp16, int8, pruned or pruned-int8.
        model: the graph in float32.
        samples: samples to calibrate with.
        destination: the file.
        write: writes and verifies a graph.
        engine: what the graph is to be fast in.
        recovery: trains what was pruned; None: nothing does.

    Returns:
        The result of `write`, and the facts of the variant.

    Raises:
        ModelError: no variant passes, or the graph has no such form.
    """
    failure = ModelError(
        f"{destination}: not written: this model has no hidden channels that could be pruned"
    )
    variants = (
        _list_pruned_int8(model, samples, destination, write, engine, recovery)
        if form == "pruned-int8"
        else _list_variants(form, model, samples, engine, recovery)
    )
    for proto, facts in variants:
        try:
            return write(proto, destination), facts
        except ModelError as error:
            failure = error
    raise failure


def _list_variants(
    form: str, model: ir.Model, samples: Images, engine: Engine, recovery: Recovery | None
) -> Variants:
    """Yield the variants of a form and their facts, the strongest first."""
    if form == "int8":
        yield from quantize_variants(model, samples, engine)
        return
    if engine == "onnxruntime":
        split_grouped_convolutions(model)
    if form == "pruned":
        for pruned, facts in prune_variants(model, samples, recovery=recovery):
            yield ir.to_proto(pruned), facts
    else:
        if form == "fp16":
            convert_to_float16(model)
        yield ir.to_proto(model), {}


def _list_pruned_int8(
    model: ir.Model,
    samples: Images,
    destination: Path,
    write: Write,
    engine: Engine,
    recovery: Recovery | None,
) -> Variants:
    """Yield pruned graphs in int8 and their facts: those that pass in float32, the strongest first.

    Every such graph comes with all its layers in int8; then the mildest with more and more in float32.

    Raises:
        ModelError: no pruned graph passes in float32.
    """
    failure, mildest = None, None
    for pruned, facts in prune_variants(model, samples, INT8_STEP, recovery):
        try:
            with temporary_folder() as folder:
                write(ir.to_proto(pruned), folder / destination.name)
        except ModelError as error:
            failure = error
            continue
        mildest = pruned, facts
        for proto, int8_facts in quantize_variants(pruned, samples, engine, FLOAT_SHARES[:1]):
            yield proto, facts | int8_facts
    if mildest is not None:
        pruned, facts = mildest
        for proto, int8_facts in quantize_variants(pruned, samples, engine, FLOAT_SHARES[1:]):
            yield proto, facts | int8_facts
    elif failure is not None:
        raise failure
