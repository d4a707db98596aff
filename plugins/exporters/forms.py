"""The forms of a graph: as it is, in half precision, quantized, pruned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
from onnxscript import ir

from fas_core.contracts import Images, Verification
from fas_core.errors import DataError, ModelError
from fas_plugins.exporters.half import to_half
from fas_plugins.exporters.pruning import pruned
from fas_plugins.exporters.quantizing import quantized

Facts = dict[str, str | int]
Write = Callable[[onnx.ModelProto], Verification]


def write_as(
    form: str, model: ir.Model, samples: Images, destination: Path, write: Write
) -> tuple[Verification, Facts]:
    """Have the graph written in a form; of a form with variants, the strongest that passes.

    Args:
        form: fp32, fp16, int8 or pruned.
        model: in float32.
        samples: to calibrate with.
        destination: of the file.
        write: writes and verifies.

    Returns:
        What `write` gave, and the facts.

    Raises:
        ModelError: not even the mildest passes, or the graph has no such form.
    """
    refusal = ModelError(
        f"{destination}: not written: this model has no hidden channels that could be pruned"
    )
    for proto, facts in _variants(form, model, samples):
        try:
            return write(proto), facts
        except ModelError as error:
            refusal = error
    raise refusal


def held(form: str, found: Verification, tolerance: float | None, destination: Path) -> Verification:
    """What was found, where it says enough: a pruned graph may be far off, so something has to hold it.

    Raises:
        DataError: neither error rates nor a tolerance do.
    """
    if form == "pruned" and tolerance is None and found.acer_after is None:
        why = "".join(f" ({line})" for line in found.unverified)
        raise DataError(
            f"{destination}: not written: how much can be pruned is told by ACER on dev, which is not known "
            f"here{why}: --set tolerance=0.2 holds it to its scores instead"
        )
    return found


def _variants(form: str, model: ir.Model, samples: Images) -> Iterator[tuple[onnx.ModelProto, Facts]]:
    """The strongest first."""
    if form == "int8":
        yield from quantized(model, samples)
    elif form == "pruned":
        yield from ((ir.to_proto(smaller), facts) for smaller, facts in pruned(model, samples))
    else:
        if form == "fp16":
            to_half(model)
        yield ir.to_proto(model), {}
