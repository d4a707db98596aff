"""Whatever a user names, as one kind of object: a run, a group of runs, or an exported model."""

from __future__ import annotations

from pathlib import Path

from fas_core.errors import ModelError
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.groups import FoldRuns, ProtocolRuns
from fas_core.runs.run import Run
from fas_core.runtime.model_file import ModelFile

MODEL_SUFFIXES = (".onnx", ".xml")
"""File name endings of exported models that the runtime opens."""


def open_runs(path: Path, registry: Registry) -> Run | ProtocolRuns | FoldRuns:
    """Open a folder that `fas train` wrote; raise FasError if it is none."""
    if (path / files.FOLDS).is_file():
        return FoldRuns.open(path, registry)
    if (path / files.PROTOCOLS).is_file():
        return ProtocolRuns.open(path, registry)
    return Run.open(path, registry)


def open_path(path: Path, registry: Registry) -> Run | ProtocolRuns | FoldRuns | ModelFile:
    """Open what `fas train` or `fas export` wrote; raise FasError if it is missing or cannot be read."""
    if path.is_dir():
        return open_runs(path, registry)
    if path.suffix in MODEL_SUFFIXES:
        return ModelFile(path)
    problem = "neither a run folder nor a model file" if path.exists() else "no such run folder or model"
    raise ModelError(f"{path}: {problem}: give what `fas train` or `fas export` wrote")
