"""Opening model files: each format has a runtime, a plugin, which is found by the file's name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fas_core.console import console
from fas_core.contracts import Engine
from fas_core.descriptors import Runtime
from fas_core.errors import ModelError, PluginError, format_list
from fas_core.registry import DISABLE, registry

Array = NDArray[Any]

MAX_SIZE = 2 << 30
"""Bytes of a file, which is read as a whole; no ONNX file can be larger."""

TRUSTED = "FAS_TRUSTED_RUNTIMES"
"""Environment variable: comma-separated names of runtimes whose files may run code that they hold."""


def find_runtime(path: Path) -> Runtime | None:
    """Return the runtime for files of this name, that of the longest suffix; None where there is none.

    Of several with one suffix fas-core's own is taken, with a warning.

    Raises:
        PluginError: several plugins of others open such files.
    """
    name = path.name.lower()
    matches = [
        (len(suffix), item)
        for item in registry().all(Runtime)
        for suffix in item.suffixes
        if name.endswith(suffix)
    ]
    longest = max((length for length, _ in matches), default=0)
    runtimes = [item for length, item in matches if length == longest]
    own = [item for item in runtimes if item.provider is not None and item.provider.is_core]
    if len(runtimes) > 1:
        names, suffix = " and ".join(map(str, runtimes)), name[-longest:]
        if not own:
            raise PluginError(f"files {suffix} are opened by {names}: disable one plugin: {DISABLE}=NAME")
        console.warn_once(f"files {suffix} are opened by {names}: fas-core's own is used")
    return next(iter(own or runtimes), None)


def list_suffixes() -> list[str]:
    """Return the suffixes of all files that runtimes open without trust, and of those beside them."""
    runtimes = [item for item in registry().all(Runtime) if not item.runs_code]
    return sorted({suffix for item in runtimes for suffix in (*item.suffixes, *item.beside)})


def list_model_files(path: Path) -> list[Path]:
    """Return a model file, and the files beside it that belong to it by its runtime and exist."""
    runtime = find_runtime(path)
    beside = [] if runtime is None else [path.with_suffix(suffix) for suffix in runtime.beside]
    return [path, *(item for item in beside if item.is_file())]


def open_engine(path: Path, threads: int | None = None, *, trusted: bool = False) -> Engine:
    """Open a model file, with the files beside it, by the runtime of its suffix.

    Args:
        threads: number of CPU threads of one call; None for one per core.
        trusted: whether this process wrote the file: else some runtimes must be named in `TRUSTED`.

    Raises:
        ModelError: the file is missing, too large, damaged or not a model, or it must be trusted.
        FasError: the engine is not installed.
        PluginError: the runtime is a plugin's, and failed.
    """
    if not path.is_file():
        raise ModelError(f"{path}: {'a folder, not a model file' if path.is_dir() else 'no such model file'}")
    runtime = find_runtime(path)
    if runtime is None:
        suffixes = sorted({suffix for item in registry().all(Runtime) for suffix in item.suffixes})
        raise ModelError(f"{path}: not a model file: supported are {format_list(suffixes, 20)}")
    if path.stat().st_size > MAX_SIZE:
        raise ModelError(f"{path}: larger than {MAX_SIZE >> 30} GiB, the limit for such files")
    if runtime.runs_code and not trusted:
        _check_trusted(path, runtime)
    engine: Engine = runtime.call(runtime.options(), path=path, threads=threads)
    _check_engine(engine, runtime)
    return engine


def _check_trusted(path: Path, runtime: Runtime) -> None:
    names = {name.strip() for name in os.environ.get(TRUSTED, "").split(",")}
    if not names & {runtime.name, runtime.qualified_name}:
        raise ModelError(
            f"{path}: not opened: such a file can run any code that it holds; "
            f"if you trust where it comes from, set {TRUSTED}={registry().name_of(runtime)}"
        )


def _check_engine(engine: object, runtime: Runtime) -> None:
    """Raise PluginError unless a runtime gave what `fas_core.contracts.Engine` says."""
    for name in ("inputs", "outputs"):
        values = getattr(engine, name, None)
        if not isinstance(values, tuple) or not all(isinstance(value, str) for value in values):
            raise PluginError(f"{runtime}: gave {engine!r}, whose {name} are no tuple of names: {values!r}")
    metadata = getattr(engine, "metadata", 0)
    if metadata is not None and not isinstance(metadata, str):
        raise PluginError(f"{runtime}: gave {engine!r}, whose metadata are neither text nor None")


def run_by_row(run: Callable[[dict[str, Array]], list[Array]], inputs: Mapping[str, Array]) -> list[Array]:
    """Run a graph of one row for each row of a batch; an empty batch gives outputs of no rows."""
    return run_in_batches(run, inputs, 1)


def run_in_batches(
    run: Callable[[dict[str, Array]], list[Array]], inputs: Mapping[str, Array], size: int
) -> list[Array]:
    """Run a graph of `size` rows on any number of them; zeros fill the last call, and one of no rows."""
    count = len(next(iter(inputs.values())))
    batches = [
        {name: value[start : start + size] for name, value in inputs.items()}
        for start in range(0, max(count, 1), size)
    ]
    missing = size * len(batches) - count
    last = batches[-1]
    batches[-1] = {
        name: np.concatenate([value, np.zeros((missing, *value.shape[1:]), value.dtype)])
        for name, value in last.items()
    }
    return [np.concatenate(column)[:count] for column in zip(*map(run, batches), strict=True)]


def first_line(error: Exception) -> str:
    """Return the first line of an engine's error, or its type where it has no text."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def damaged_file(path: Path, kind: str, reason: str = "") -> ModelError:
    """Return the error for a file that an engine refuses; `kind` is the format."""
    problem = f"{path}: cannot be loaded as {kind}, damaged or another kind of file"
    return ModelError(f"{problem}: {reason}" if reason else problem)
