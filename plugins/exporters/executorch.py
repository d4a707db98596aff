"""ExecuTorch: a program for phones and other devices, with PyTorch's own runtime and XNNPACK's kernels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fas_core.atomic import replacing
from fas_core.card import METADATA_KEY, Card
from fas_core.contracts import Exported, Images, Verify
from fas_core.digests import seal_model_file
from fas_core.errors import DataError, ModelError
from fas_core.models.model import Model
from fas_core.runtime import ModelFile
from fas_plugins.exporters.options import ExecuTorchOptions
from fas_plugins.exporters.tracing import describe_error, export_program
from fas_plugins.runtimes.executorch import OUTPUTS, import_executorch, silence_executorch


def export(
    options: ExecuTorchOptions, model: Model, samples: Images, destination: Path, card: Card, verify: Verify
) -> Exported:
    """Write a `.pte` for one sample per call, in float32, by XNNPACK as far as it has the operators.

    Its method `forward` takes `uint8 (1, H, W, 3)` of each modality by position and, of a model that accepts
    missing modalities, `presence`, and returns `(score, logits)`, or more. The methods `fas` and
    `fas_outputs` take nothing and return the card, and the names of the outputs, as bytes of JSON.

    Raises:
        DataError: there are no samples.
        ModelError: the model cannot be exported, or the result differs from it; no file is written then.
        FasError: ExecuTorch is not installed, or the destination cannot be written.
    """
    if not len(samples[model.modalities[0]]):
        raise DataError(f"{destination}: no samples to compare the exported model on")
    exir = import_executorch("executorch.exir")
    xnnpack = import_executorch("executorch.backends.xnnpack.partition.xnnpack_partitioner")
    try:
        with silence_executorch():
            program, outputs = export_program(model, samples, static_batch=1)
            texts = {METADATA_KEY: card.to_json(), OUTPUTS: json.dumps(outputs)}
            edge = exir.to_edge_transform_and_lower(
                program,
                partitioner=[xnnpack.XnnpackPartitioner()],
                constant_methods={name: _to_tensor(text) for name, text in texts.items()},
            )
            content = edge.to_executorch().buffer
    except Exception as error:  # the errors of torch.export and ExecuTorch share no public base
        raise ModelError(
            f"{destination}: ExecuTorch cannot take this model: {describe_error(error)}"
        ) from error
    with replacing(destination) as temporary:
        temporary.write_bytes(content)
        seal_model_file(temporary)
        written = ModelFile(temporary, threads=1, trusted=True)
        verification = verify(written, tolerance=options.choose_tolerance(), acer_loss=options.acer_loss)
    facts: dict[str, str | int] = {"batch": 1, "outside XNNPACK": _describe_others(edge)}
    return Exported(destination, verification, facts=facts)


def _to_tensor(text: str) -> Tensor:
    return torch.from_numpy(np.frombuffer(text.encode(), np.uint8).copy())


def _describe_others(edge: Any) -> str:
    """Return the names of the operators that XNNPACK does not run: ExecuTorch's own kernels do."""
    nodes = edge.exported_program().graph.nodes
    operators = {str(node.target).split(".")[1] for node in nodes if hasattr(node.target, "_schema")}
    return " ".join(sorted(operators)) or "none"
