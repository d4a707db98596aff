"""torch.export programs, by PyTorch on the CPU.

PyTorch reads such an archive by pickle and evaluates expressions in it, so that a file can run any code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
from attrs import frozen

from fas_core.card import PRESENCE
from fas_core.component import NoOptions
from fas_core.contracts import Engine
from fas_core.digests import check_model_file
from fas_core.errors import require
from fas_core.runtime.engines import Array, damaged_file, first_line
from fas_core.runtime.stored_card import read_card

CARD, OUTPUTS = "fas.json", "fas_outputs.json"
"""Names of the extra files: the card, and the list of the outputs' names."""


@frozen(eq=False)
class ProgramEngine:
    """A program that takes its inputs, and gives its outputs, by position. Threads may share it."""

    module: Callable[..., Any]
    metadata: str | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    threads: int | None

    def run(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        import torch

        from fas_core.models.model import torch_threads

        arguments = [torch.from_numpy(np.array(inputs[name])) for name in self.inputs]
        with nullcontext() if self.threads is None else torch_threads(self.threads), torch.inference_mode():
            values = self.module(*arguments)
        outputs = dict(zip(self.outputs, values, strict=False))
        return [outputs[name].numpy() for name in names]


def open_program(options: NoOptions, path: Path, threads: int | None = None) -> Engine:
    """Open a `.pt2`. It runs what the file holds: the file must be trusted.

    Raises:
        ModelError: the file is damaged or no program.
        FasError: PyTorch is not installed.
    """
    require("train", "torch")
    import torch

    check_model_file(path)
    if not is_zipfile(path):  # PyTorch would log a traceback, too
        raise damaged_file(path, "a torch program", "it is no zip archive")
    extra = {CARD: "", OUTPUTS: ""}
    try:
        program = torch.export.load(path, extra_files=extra)
        module = program.module()
        outputs = json.loads(extra[OUTPUTS] or "[]")
    except Exception as error:  # of damaged files it raises many
        raise damaged_file(path, "a torch program", first_line(error)) from error
    signature = program.graph_signature
    # Files of fas 0.1.0, which do not name their outputs, begin with the score.
    further = (f"output_{number}" for number in range(2, len(signature.user_outputs) + 1))
    names = tuple(outputs) or ("score", *further)
    if not extra[CARD]:
        return ProgramEngine(module, None, tuple(signature.user_inputs), names, threads)
    card = read_card(extra[CARD], str(path))
    inputs = (*card.modalities, *((PRESENCE,) if card.input.partial else ()))
    return ProgramEngine(module, extra[CARD], inputs, names, threads)
