"""ONNX: one file that takes bytes and gives scores, compared with torch before it is left in place."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxscript import ir
from onnxscript.ir.passes.common import ClearMetadataAndDocStringPass, RemoveUnusedNodesPass
from torch import Tensor, nn

from fas_core import __version__
from fas_core.atomic import replacing
from fas_core.card import METADATA_KEY, PRESENCE, Card
from fas_core.contracts import Exported, Images, Outputs
from fas_core.errors import DataError, ModelError
from fas_core.model import Model
from fas_core.runtime import ModelFile
from fas_plugins.exporters.folding import fold_batch_norms
from fas_plugins.exporters.options import OnnxOptions
from fas_plugins.exporters.splitting import split_groups

Arrays = dict[str, NDArray[np.float32]]


def export(options: OnnxOptions, model: Model, samples: Images, destination: Path, card: Card) -> Exported:
    """Write the model as one ONNX file with dynamic batch size and the card in its metadata.

    Inputs: `{modality: uint8 (B, H, W, 3)}` and, of a model that can do without some of them, `presence`:
    bool (B, modalities). Outputs: `score` (B,) and, of classifiers, `logits` (B, K).
    The file is checked by onnx, then run by onnxruntime on the samples, as one batch and one by one; where
    modalities may be missing, every subset of them is among what is compared.

    Raises:
        DataError: there are no samples.
        ModelError: the model cannot be converted, or the result differs from it; no file is left then.
        FasError: the destination cannot be written.
    """
    if not len(samples[model.modalities[0]]):
        raise DataError(f"{destination}: no samples to compare the exported model on")
    model = _traceable(model)
    inputs = [torch.from_numpy(np.array(samples[name])) for name in model.modalities]
    presence = _subsets(len(model.modalities), len(inputs[0])) if model.partial else None
    inputs += [] if presence is None else [torch.from_numpy(presence)]
    expected = _outputs(model, inputs)
    proto = ir.to_proto(_convert(model, inputs, list(expected), card, options.opset))
    with replacing(destination) as temporary:
        temporary.write_bytes(proto.SerializeToString(deterministic=True))
        try:
            onnx.checker.check_model(temporary, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ModelError(f"{destination}: not written: {_reason(error)}") from error
        differences = _compare(temporary, samples, presence, expected)
        _judge(differences, expected, options.tolerance, destination)
        size = temporary.stat().st_size
    return Exported(
        path=destination,
        samples=differences["score"].shape[-1],
        max_difference=float(differences["score"].max()),
        mean_difference=float(differences["score"].mean()),
        size=size,
        facts={"opset": options.opset},
    )


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


def _traceable(model: Model) -> Model:
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
    # Two rows: torch.export takes a size of one for a constant.
    example = tuple(torch.cat([tensor[:1]] * 2) for tensor in inputs)
    batch = torch.export.Dim("batch")
    try:
        with _silence():
            program = torch.onnx.export(
                _Graph(model, outputs).eval(),
                example,
                dynamo=True,
                opset_version=opset,
                input_names=[*model.modalities, *([PRESENCE] if model.partial else [])],
                output_names=outputs,
                dynamic_shapes=(tuple({0: batch} for _ in example),),
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise ModelError(f"this model cannot be converted to ONNX: {_reason(error)}") from error
    assert program is not None
    converted = program.model
    if converted.opset_imports[""] != opset:
        raise ModelError(f"opset {opset} is not one that the installed torch and onnx write: try 18")
    _tidy(converted)
    _describe(converted, card)
    return converted


def _tidy(graph: ir.Model) -> None:
    """Fold what is left to fold; drop the source lines and local paths that torch notes at every node."""
    fold_batch_norms(graph)
    split_groups(graph)
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


def _compare(path: Path, samples: Images, presence: NDArray[np.bool_] | None, expected: Arrays) -> Arrays:
    """|onnxruntime - torch|, (2, N, ...) by output: as one batch, and sample by sample."""
    written = ModelFile(path)
    together = written.outputs(samples, presence)
    singles = [
        written.outputs(
            {name: samples[name][row : row + 1] for name in written.card.modalities},
            None if presence is None else presence[row : row + 1],
        )
        for row in range(len(expected["score"]))
    ]
    alone = {name: np.concatenate([single[name] for single in singles]) for name in expected}
    return {name: np.abs(np.stack([together[name], alone[name]]) - value) for name, value in expected.items()}


def _judge(differences: Arrays, expected: Arrays, tolerance: float, destination: Path) -> None:
    # A score near 0 or 1 hides what is wrong before the softmax, so logits count as well.
    for name, difference in differences.items():
        unit = 1.0 if name == "score" else max(1.0, float(np.abs(expected[name]).max()))
        if not difference.max() <= tolerance * unit:  # so that NaN fails too
            raise ModelError(
                f"{destination}: not written: onnxruntime and torch differ by {difference.max():.2g} in "
                f"{name} on {len(expected['score'])} samples, more than {tolerance * unit:.2g} allows"
            )


@contextmanager
def _silence() -> Iterator[None]:
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


def _reason(error: BaseException) -> str:
    """One line: what was at the bottom of it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
