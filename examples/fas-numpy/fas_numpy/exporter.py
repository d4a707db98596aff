"""A trained model as a NumPy archive: its weights, and its operations as JSON."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fas_core import Card, Exported, Model, ModelError, ModelFile, NoOptions
from fas_core.atomic import replacing
from fas_core.contracts import Images, Verify
from fas_numpy.operations import OPERATIONS

PLACES = ("device", "layout", "memory_format", "pin_memory")
"""Arguments that say where a tensor lies, which an array does not choose."""


class Scores(nn.Module):
    """The model as a function of tensors in the order of its modalities, then `presence` if it takes that."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> Tensor:
        images = dict(zip(self.model.modalities, inputs, strict=False))
        score: Tensor = self.model(images, inputs[-1] if self.model.partial else None).score
        return score


def export(
    options: NoOptions, model: Model, samples: Images, destination: Path, card: Card, verify: Verify
) -> Exported:
    """Write a `.npz` that scores one face at a time.

    Raises:
        ModelError: the model has an operation that `fas_numpy.operations` lacks, or scores differ.
    """
    inputs = [torch.from_numpy(samples[name][:1].copy()) for name in model.modalities]
    names = list(model.modalities)
    if model.partial:
        names.append("presence")
        inputs.append(torch.ones(1, len(inputs), dtype=torch.bool))
    with warnings.catch_warnings():  # torch's own, of what it will change
        warnings.simplefilter("ignore")
        program = torch.export.export(Scores(model).eval(), tuple(inputs)).run_decompositions()
    graph, weights = flatten(program, names)
    if missing := sorted({operation for _, operation, _, _ in graph} - set(OPERATIONS)):
        raise ModelError(f"{destination}: not written: NumPy archives have no {', '.join(missing)}")
    texts = {"fas": card.to_json(), "inputs": json.dumps(names), "graph": json.dumps(graph)}
    with replacing(destination) as temporary:
        with temporary.open("wb") as stream:
            np.savez(stream, **{key: np.array(text) for key, text in texts.items()}, **weights)
        written = ModelFile(temporary, threads=1)  # as `fas predict` opens it
        verification = verify(written, tolerance=1e-4, acer_loss=0.002)
    return Exported(destination, verification)


def flatten(program: torch.export.ExportedProgram, names: list[str]) -> tuple[list[Any], dict[str, Any]]:
    """Return the operations `[result, operation, arguments, options]` in order, and the weights by name.

    A text `"$name"` among the arguments is the result, the weight or the input of that name. The last result
    is `score`.
    """
    weights, graph, renamed = {}, [], iter(names)
    tensors = {**program.state_dict, **program.constants}
    sources = {spec.arg.name: spec.target for spec in program.graph_signature.input_specs}
    results: dict[torch.fx.Node, str] = {}

    def to_plain(value: Any) -> Any:
        if isinstance(value, torch.fx.Node):
            return f"${results[value]}"
        if isinstance(value, list | tuple):
            return [to_plain(item) for item in value]
        return str(value) if isinstance(value, torch.dtype) else value

    for node in program.graph.nodes:
        if node.op == "placeholder":
            source = sources[node.name]
            results[node] = next(renamed) if source is None else f"w:{node.name}"
            if source is not None:
                weights[results[node]] = tensors[source].detach().numpy()
        elif node.op == "call_function" and node.users:  # those without are assertions
            results[node] = f"t:{node.name}"
            options = {key: to_plain(value) for key, value in node.kwargs.items() if key not in PLACES}
            operation = getattr(node.target, "__name__", str(node.target))
            graph.append([results[node], operation, to_plain(node.args), options])
        elif node.op == "output":
            graph[-1][0] = "score"
    return graph, weights
