"""A model as an ONNX graph in memory: bytes in, scores out, everything folded that can be."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from onnxscript import ir
from onnxscript.ir.passes.common import ClearMetadataAndDocStringPass, RemoveUnusedNodesPass
from torch import Tensor, nn

from fas_core import __version__
from fas_core.card import METADATA_KEY, PRESENCE, Card
from fas_core.contracts import Images
from fas_core.errors import DataError, ModelError
from fas_core.models.model import Model
from fas_core.records.outputs import Outputs
from fas_plugins.exporters.folding import fold_batch_norms, fold_constants

Arrays = dict[str, NDArray[np.float32]]

TRACED = 32
"""Samples that the graph's outputs are compared with torch's on, all of them; scores on many more."""


@frozen(eq=False)
class Traced:
    """A model's graph and what torch says that it must give.

    Args:
        graph: inputs `{modality: uint8 (B, H, W, 3)}` and, of a model that can do without some of them,
            `presence`: bool (B, modalities); outputs `score` (B,) and, of classifiers, `logits` (B, K).
        samples: what it was run on.
        presence: what of each, every subset among them; None where a model needs all.
        expected: torch's outputs for these.
    """

    graph: ir.Model
    samples: Images
    presence: NDArray[np.bool_] | None
    expected: Arrays


def trace(model: Model, samples: Images, card: Card, opset: int, destination: Path) -> Traced:
    """The graph of a model, with dynamic batch size and the card in its metadata.

    Raises:
        DataError: there are no samples.
        ModelError: the model cannot be converted.
    """
    if not len(samples[model.modalities[0]]):
        raise DataError(f"{destination}: no samples to compare the exported model on")
    samples = {name: samples[name][:TRACED] for name in model.modalities}
    model = traceable(model)
    inputs = [torch.from_numpy(np.array(samples[name])) for name in model.modalities]
    presence = _subsets(len(model.modalities), len(inputs[0])) if model.partial else None
    inputs += [] if presence is None else [torch.from_numpy(presence)]
    expected = _outputs(model, inputs)
    return Traced(_convert(model, inputs, list(expected), card, opset), samples, presence, expected)


class _Graph(nn.Module):
    """The model as ONNX sees it: images and presence by position in, a tuple of tensors out."""

    def __init__(self, model: Model, names: list[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        outputs = _called(self.model, inputs)
        return tuple(getattr(outputs, name) for name in self.names)


def _called(model: Model, inputs: Sequence[Tensor]) -> Outputs:
    """Images in the model's order and, last, which of them there are."""
    images = dict(zip(model.modalities, inputs, strict=False))
    return cast(Outputs, model(images, *inputs[len(images) :]))


def _subsets(modalities: int, count: int) -> NDArray[np.bool_]:
    """(count, modalities) every non-empty subset in turn, the whole set first."""
    rows = [row for row in product([True, False], repeat=modalities) if any(row)]
    return np.resize(np.array(rows), (count, modalities))


def traceable(model: Model) -> Model:
    """A copy on the CPU, in eval mode; what it did in place took torch a fifth longer to convert."""
    copied = copy.deepcopy(model).cpu().eval()
    for module in copied.modules():
        if "inplace" in vars(module):
            vars(module)["inplace"] = False
    return copied


def _outputs(model: Model, inputs: Sequence[Tensor]) -> Arrays:
    """What torch says: `score`, and `logits` where the model has them."""
    with torch.inference_mode():
        outputs = _called(model, inputs)
    found = {"score": outputs.score, "logits": outputs.logits}
    return {name: value.numpy() for name, value in found.items() if value is not None}


def _convert(model: Model, inputs: Sequence[Tensor], outputs: list[str], card: Card, opset: int) -> ir.Model:
    example, shapes = _example(inputs)
    try:
        with silence():
            program = torch.onnx.export(
                _Graph(model, outputs).eval(),
                example,
                dynamo=True,
                opset_version=opset,
                input_names=[*model.modalities, *([PRESENCE] if model.partial else [])],
                output_names=outputs,
                dynamic_shapes=shapes,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise ModelError(f"this model cannot be converted to ONNX: {reason(error)}") from error
    assert program is not None
    converted = program.model
    if converted.opset_imports[""] != opset:
        raise ModelError(f"opset {opset} is not one that the installed torch and onnx write: try 18")
    _tidy(converted)
    _describe(converted, card)
    return converted


def program(model: Model, samples: Images) -> torch.export.ExportedProgram:
    """The model by torch.export: images and presence by position in, `(score, logits)` out."""
    model = traceable(model)
    inputs = [torch.from_numpy(np.array(samples[name][:2])) for name in model.modalities]
    if model.partial:
        inputs.append(torch.ones(len(inputs[0]), len(inputs), dtype=torch.bool))
    outputs = list(_outputs(model, inputs))
    example, shapes = _example(inputs)
    return torch.export.export(_Graph(model, outputs).eval(), example, dynamic_shapes=shapes)


def _example(inputs: Sequence[Tensor]) -> tuple[tuple[Tensor, ...], Any]:
    """Inputs to trace with, and which of their sizes may vary."""
    # Two rows: torch.export takes a size of one for a constant.
    example = tuple(torch.cat([tensor[:1]] * 2) for tensor in inputs)
    batch = torch.export.Dim("batch")
    return example, (tuple({0: batch} for _ in example),)


def _tidy(graph: ir.Model) -> None:
    """Fold what is left to fold; drop the source lines and local paths that torch notes at every node."""
    fold_constants(graph)
    fold_batch_norms(graph)
    RemoveUnusedNodesPass()(graph)
    ClearMetadataAndDocStringPass()(graph)


def _describe(graph: ir.Model, card: Card) -> None:
    graph.producer_name, graph.producer_version = "fas", __version__
    graph.metadata_props[METADATA_KEY] = card.to_json()
    for given in graph.graph.inputs:
        given.doc_string = (
            f"which of {', '.join(card.modalities)} each face has, bool (batch, {len(card.modalities)})"
            if given.name == PRESENCE
            else f"{given.name} face, uint8 (batch, height, width, RGB)"
        )


@contextmanager
def silence() -> Iterator[None]:
    """Without what torch's exporter prints, logs and warns of its own workings; errors still come."""
    loggers = [logging.getLogger(name) for name in ("torch", "onnxscript")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def reason(error: BaseException) -> str:
    """One line: what was at the bottom of it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
