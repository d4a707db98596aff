"""A model as an ONNX graph in memory: bytes in, scores out, with constants and batch norms folded."""

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
from weakref import WeakKeyDictionary

import numpy as np
import onnx
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
from fas_core.records.novelty import NOVELTY
from fas_core.records.outputs import Outputs
from fas_plugins.exporters.folding import fold_batch_norms, fold_constants
from fas_plugins.exporters.options import OPSET
from fas_plugins.exporters.portability import make_portable

Arrays = dict[str, NDArray[np.float32]]

TRACED = 32
"""Samples on which all outputs of the graph are compared with torch's; scores are compared on many more."""


Key = tuple[object, ...]

_last_graphs: WeakKeyDictionary[Model, tuple[Key, bytes]] = WeakKeyDictionary()
"""The graph that was last converted of a model, with what it depends on: all forms and formats that are
exported together begin with the same one."""


@frozen(eq=False)
class Traced:
    """A model's graph, and torch's outputs to compare it with.

    Args:
        graph: inputs `{modality: uint8 (B, H, W, 3)}` and, of a model that accepts missing modalities,
            `presence`: bool (B, modalities); outputs `score` (B,) and, of classifiers, `logits` (B, K).
        samples: images, N of each modality.
        presence: (N, modalities) all subsets of the modalities in turn; None where the model needs all.
        expected: torch's outputs for these, by name.
    """

    graph: ir.Model
    samples: Images
    presence: NDArray[np.bool_] | None
    expected: Arrays


def trace_model(
    model: Model, samples: Images, card: Card, destination: Path, static_batch: int | None = None
) -> Traced:
    """Return the graph of a model in opset 18, portable, with the card in its metadata.

    Args:
        destination: for messages.
        static_batch: number of samples that the graph takes per call; None: any.

    Raises:
        DataError: there are no samples.
        ModelError: the model cannot be converted.
    """
    if not len(samples[model.modalities[0]]):
        raise DataError(f"{destination}: no samples to compare the exported model on")
    samples = {name: samples[name][:TRACED] for name in model.modalities}
    original, model = model, copy_for_tracing(model)
    inputs = [torch.from_numpy(np.array(samples[name])) for name in model.modalities]
    presence = _subsets(len(model.modalities), len(inputs[0])) if model.partial else None
    inputs += [] if presence is None else [torch.from_numpy(presence)]
    expected = _run_model(model, inputs)
    for name, layer in model.preprocess.items():
        model.preprocess[name] = nn.Sequential(layer, _Contiguous())
    key = (static_batch, *expected, *_identify_weights(original))
    graph = _find_graph(original, key)
    if graph is None:
        graph = _convert(model, inputs, list(expected), static_batch)
        _last_graphs[original] = key, ir.to_proto(graph).SerializeToString()
    _write_metadata(graph, card)
    return Traced(graph, samples, presence, expected)


def _find_graph(model: Model, key: Key) -> ir.Model | None:
    """Return a copy of the graph that was last converted of a model, if it was of the same weights."""
    last_key, content = _last_graphs.get(model, ((), b""))
    return ir.from_proto(onnx.load_from_string(content)) if last_key == key else None


def _identify_weights(model: Model) -> Iterator[tuple[str, int, int]]:
    """Yield where each tensor of a model is in memory, and how often it was changed."""
    for name, tensor in model.state_dict().items():
        yield name, tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version


class _Contiguous(nn.Module):
    """Gives pixels the usual memory order, so that the graph holds no operators that depend on strides."""

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.contiguous()


class _Graph(nn.Module):
    """The model with positional inputs, images and presence, and a tuple of tensors as output."""

    def __init__(self, model: Model, names: list[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        outputs = _call_model(self.model, inputs)
        return tuple(getattr(outputs, name) for name in self.names)


def _call_model(model: Model, inputs: Sequence[Tensor]) -> Outputs:
    """Call a model on images in its order and, for some models, presence after them."""
    images = dict(zip(model.modalities, inputs, strict=False))
    return cast(Outputs, model(images, *inputs[len(images) :]))


def _subsets(modalities: int, count: int) -> NDArray[np.bool_]:
    """Return all non-empty subsets in turn, the full set first: (count, modalities) bool."""
    rows = [row for row in product([True, False], repeat=modalities) if any(row)]
    return np.resize(np.array(rows), (count, modalities))


def copy_for_tracing(model: Model) -> Model:
    """Return a copy on the CPU, in eval mode, without in-place operations: it converts a fifth faster."""
    copied = copy.deepcopy(model).cpu().eval()
    for module in copied.modules():
        if "inplace" in vars(module):
            vars(module)["inplace"] = False
    return copied


def _run_model(model: Model, inputs: Sequence[Tensor]) -> Arrays:
    """Return torch's outputs: `score`, `logits` of a classifier, and `novelty` where it is fitted."""
    with torch.inference_mode():
        outputs = _call_model(model, inputs)
    tensors = {"score": outputs.score, "logits": outputs.logits, NOVELTY: outputs.novelty}
    return {name: tensor.numpy() for name, tensor in tensors.items() if tensor is not None}


def _convert(
    model: Model, inputs: Sequence[Tensor], outputs: list[str], static_batch: int | None
) -> ir.Model:
    example, shapes = _build_example(inputs, static_batch)
    try:
        with silence():
            program = torch.onnx.export(
                _Graph(model, outputs).eval(),
                example,
                dynamo=True,
                opset_version=OPSET,
                input_names=[*model.modalities, *([PRESENCE] if model.partial else [])],
                output_names=outputs,
                dynamic_shapes=shapes,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise ModelError(f"this model cannot be converted to ONNX: {describe_error(error)}") from error
    assert program is not None
    converted = program.model
    _tidy(converted)
    return converted


def export_program(
    model: Model, samples: Images, static_batch: int | None = None
) -> tuple[torch.export.ExportedProgram, list[str]]:
    """Export a model by torch.export, images and presence by position; return its outputs' names, too.

    `static_batch` is as for `trace_model`.
    """
    model = copy_for_tracing(model)
    inputs = [torch.from_numpy(np.array(samples[name][:2])) for name in model.modalities]
    if model.partial:
        inputs.append(torch.ones(len(inputs[0]), len(inputs), dtype=torch.bool))
    outputs = list(_run_model(model, inputs))
    example, shapes = _build_example(inputs, static_batch)
    program = torch.export.export(_Graph(model, outputs).eval(), example, dynamic_shapes=shapes)
    return program, outputs


def _build_example(
    inputs: Sequence[Tensor], static_batch: int | None = None
) -> tuple[tuple[Tensor, ...], Any]:
    """Return inputs to trace with, and their dynamic dimensions, None if there are none."""
    if static_batch is not None:
        return tuple(torch.cat([tensor[:1]] * static_batch) for tensor in inputs), None
    # Two rows, because torch.export treats a size of one as constant.
    example = tuple(torch.cat([tensor[:1]] * 2) for tensor in inputs)
    batch = torch.export.Dim("batch")
    return example, (tuple({0: batch} for _ in example),)


def _tidy(graph: ir.Model) -> None:
    """Fold constants and batch norms, make nodes portable; drop source lines and paths that torch stores."""
    fold_constants(graph)
    fold_batch_norms(graph)
    make_portable(graph)
    RemoveUnusedNodesPass()(graph)
    ClearMetadataAndDocStringPass()(graph)


def _write_metadata(graph: ir.Model, card: Card) -> None:
    """Write producer, card and descriptions of the inputs into the graph."""
    graph.producer_name, graph.producer_version = "fas", __version__
    graph.metadata_props[METADATA_KEY] = card.to_json()
    for value in graph.graph.inputs:
        value.doc_string = (
            f"which of {', '.join(card.modalities)} each face has, bool (batch, {len(card.modalities)})"
            if value.name == PRESENCE
            else f"{value.name} face, uint8 (batch, height, width, RGB)"
        )


@contextmanager
def silence() -> Iterator[None]:
    """Suppress what torch's exporter prints, logs and warns about; exceptions still propagate."""
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


def describe_error(error: BaseException) -> str:
    """Return the first line of an error's root cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
