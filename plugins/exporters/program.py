"""A torch.export program: runs wherever PyTorch does, without the model's code."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fas_core.atomic import replacing
from fas_core.card import Card
from fas_core.contracts import Exported, Images, Scorer, Verify
from fas_core.errors import DataError, ModelError
from fas_core.models.model import Model, torch_threads
from fas_plugins.exporters.options import TorchOptions
from fas_plugins.exporters.tracing import describe_error, export_program, silence

CARD = "fas.json"
"""Name of the card among the extra files inside the `.pt2`."""


def export(
    options: TorchOptions, model: Model, samples: Images, destination: Path, card: Card, verify: Verify
) -> Exported:
    """Write a `.pt2` with dynamic batch size; the card is its extra file `fas.json`.

    Its module takes `uint8 (B, H, W, 3)` of each modality by position and, of a model that accepts missing
    modalities, `presence`, and returns `(score, logits)`.

    Raises:
        DataError: there are no samples.
        ModelError: the model cannot be exported, or the result differs from it; no file is written then.
        FasError: the destination cannot be written.
    """
    if not len(samples[model.modalities[0]]):
        raise DataError(f"{destination}: no samples to compare the exported model on")
    try:
        with silence():
            program = export_program(model, samples)
    except Exception as error:  # torch.export's errors share no public base
        raise ModelError(
            f"{destination}: torch.export cannot take this model: {describe_error(error)}"
        ) from error
    _remove_source_paths(program)
    with replacing(destination) as temporary:
        with silence():
            buffer = BytesIO()  # for PyTorch's own writer ends with a RuntimeError where the disk is full
            torch.export.save(program, buffer, extra_files={CARD: card.to_json()})
            temporary.write_bytes(buffer.getbuffer())
            scorer = _open_scorer(temporary, card)
        verification = verify(scorer, tolerance=options.choose_tolerance(), acer_loss=options.acer_loss)
    return Exported(destination, verification)


def _remove_source_paths(program: torch.export.ExportedProgram) -> None:
    """Remove the stack traces of the nodes, which name the folders that the code lies in."""
    for module in program.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)


def _open_scorer(path: Path, card: Card) -> Scorer:
    """Return a scorer that runs the file on one thread."""
    module = torch.export.load(path).module()

    def score(images: Images, presence: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        inputs = [torch.from_numpy(images[name]) for name in card.modalities]
        if card.input.partial:
            count = len(inputs[0])
            rows = np.ones((count, len(card.modalities)), np.bool_) if presence is None else presence
            inputs.append(torch.from_numpy(rows))
        with torch_threads(1), torch.inference_mode():
            scores: NDArray[np.float64] = module(*inputs)[0].double().numpy()
        return scores

    return score
