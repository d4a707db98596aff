"""A torch.export program: runs wherever PyTorch does, without the model's code."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import torch

from fas_core.atomic import replacing
from fas_core.card import Card
from fas_core.contracts import Exported, Images, Verify
from fas_core.digests import seal_model_file
from fas_core.errors import DataError, ModelError
from fas_core.models.model import Model
from fas_core.runtime import ModelFile
from fas_plugins.exporters.options import TorchOptions
from fas_plugins.exporters.tracing import describe_error, export_program, silence
from fas_plugins.runtimes.program import CARD, OUTPUTS


def export(
    options: TorchOptions, model: Model, samples: Images, destination: Path, card: Card, verify: Verify
) -> Exported:
    """Write a `.pt2` with dynamic batch size; the card is its extra file `fas.json`.

    Its module takes `uint8 (B, H, W, 3)` of each modality by position and, of a model that accepts missing
    modalities, `presence`, and returns `(score, logits)`, or more; `fas_outputs.json` has their names.

    Raises:
        DataError: there are no samples.
        ModelError: the model cannot be exported, or the result differs from it; no file is written then.
        FasError: the destination cannot be written.
    """
    if not len(samples[model.modalities[0]]):
        raise DataError(f"{destination}: no samples to compare the exported model on")
    try:
        with silence():
            program, outputs = export_program(model, samples)
    except Exception as error:  # torch.export's errors share no public base
        raise ModelError(
            f"{destination}: torch.export cannot take this model: {describe_error(error)}"
        ) from error
    _remove_source_paths(program)
    with replacing(destination) as temporary:
        with silence():
            buffer = BytesIO()  # for PyTorch's own writer ends with a RuntimeError where the disk is full
            extra = {CARD: card.to_json(), OUTPUTS: json.dumps(outputs)}
            torch.export.save(program, buffer, extra_files=extra)
            temporary.write_bytes(buffer.getbuffer())
            seal_model_file(temporary)
            written = ModelFile(temporary, threads=1, trusted=True)
        verification = verify(written, tolerance=options.choose_tolerance(), acer_loss=options.acer_loss)
    return Exported(destination, verification)


def _remove_source_paths(program: torch.export.ExportedProgram) -> None:
    """Remove the stack traces of the nodes, which name the folders that the code lies in."""
    for module in program.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)
