"""Intermediate values of a graph on samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxscript import ir
from onnxscript.ir.passes.common import RemoveUnusedNodesPass

from fas_core.contracts import Images
from fas_plugins.exporters.graph import Array, to_graph_inputs

POSITIONS = 64
"""Positions of a map that are read for each sample."""

BATCH = 16

Activations = dict[str, Array]
"""(rows, C) by name of the value; rows of different values belong together where the maps have one size."""


def sample_activations(model: ir.Model, names: Sequence[str], samples: Images) -> Activations:
    """Return the values of these names on samples: (N, C) vectors, and maps at `POSITIONS` random positions.

    The positions depend on the sample and the size of the map alone.
    """
    names = list(dict.fromkeys(names))
    session = _open_session(model, names)
    inputs = to_graph_inputs(model.graph, samples)
    rows: dict[str, list[Array]] = {name: [] for name in names}
    for start in range(0, len(next(iter(inputs.values()))), BATCH):
        batch = {name: values[start : start + BATCH] for name, values in inputs.items()}
        for name, values in zip(names, session.run(names, batch), strict=True):
            rows[name].append(_sample_positions(values, seed=start))
    return {name: np.concatenate(batches) for name, batches in rows.items()}


def _open_session(model: ir.Model, names: Sequence[str]) -> onnxruntime.InferenceSession:
    """Return a session that computes these values instead of the model's outputs."""
    copied = model.clone()
    values = {value.name: value for node in copied.graph for value in node.outputs}
    copied.graph.outputs[:] = [values[name] for name in names]
    RemoveUnusedNodesPass()(copied)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        ir.to_proto(copied).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _sample_positions(values: NDArray[np.float32], seed: int) -> Array:
    """(N, C) -> (N, C); (N, C, h, w) -> (N x POSITIONS, C) at random positions."""
    if values.ndim == 2:
        return values.astype(np.float64)
    count, channels, height, width = values.shape
    positions = np.random.default_rng(seed).integers(0, height * width, (count, 1, POSITIONS))
    selected = np.take_along_axis(values.reshape(count, channels, -1), positions, axis=2)
    return selected.transpose(0, 2, 1).reshape(-1, channels).astype(np.float64)
