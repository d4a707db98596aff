"""Scores by a NumPy archive, without torch and without onnxruntime."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from fas_core import ModelError, NoOptions
from fas_numpy.operations import OPERATIONS, Array


class NumpyEngine:
    """An open archive; `fas_core.contracts.Engine` says what each attribute is. Threads may share it.

    Raises:
        ModelError: the file is none that the exporter `numpy` wrote.
    """

    outputs = ("score",)

    def __init__(self, options: NoOptions, path: Path, threads: int | None = None) -> None:
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
                arrays = dict(archive)
            texts = [str(arrays.pop(key)) for key in ("fas", "inputs", "graph")]
            self.metadata, self.inputs = texts[0], tuple(json.loads(texts[1]))
            self._graph, self._weights = json.loads(texts[2]), arrays
            self._used = {operation: OPERATIONS[operation] for _, operation, _, _ in self._graph}
        except (BadZipFile, EOFError, KeyError, OSError, TypeError, ValueError) as error:
            raise ModelError(f"{path}: no NumPy archive of fas, or a damaged one: {error}") from error

    def run(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Compute `score`, (B,), a face at a time: the archive was made for one."""
        rows = range(len(next(iter(inputs.values()))))
        scores = [self._score({name: x[row : row + 1] for name, x in inputs.items()}) for row in rows]
        return [np.concatenate(scores) for _ in names]

    def _score(self, inputs: Mapping[str, Array]) -> Array:
        values: dict[str, Any] = {**self._weights, **inputs}

        def resolve(argument: Any) -> Any:
            if isinstance(argument, list):
                return [resolve(item) for item in argument]
            if isinstance(argument, str) and argument.startswith("$"):
                return values[argument[1:]]
            return argument

        for result, operation, arguments, options in self._graph:
            values[result] = self._used[operation](*map(resolve, arguments), **options)
        score: Array = values["score"]
        return score
