"""Opening a model file by the runtime of its format, which is a plugin."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fas_core.command_cache import command_registry
from fas_core.data.model_formats import find_runtime
from fas_core.errors import ModelError, PluginError, format_list
from fas_core.remembered_kinds import Runtime
from fas_core.runtime.devices import open_on_device

if TYPE_CHECKING:
    from fas_core.contracts import Engine

Array = NDArray[Any]

MAX_SIZE = 2 << 30
"""Bytes of a file, which is read as a whole; no ONNX file can be larger."""

TRUSTED = "FAS_TRUSTED_RUNTIMES"
"""Environment variable: comma-separated names of runtimes whose files may run code that they hold."""


def open_engine(path: Path, threads: int | None = None, *, trusted: bool = False) -> Engine:
    """Open a model file on the CPU; arguments and errors are those of `open_engine_on`."""
    return open_engine_on(None, path, threads, trusted=trusted)[0]


def open_engine_on(
    device: str | None, path: Path, threads: int | None = None, *, trusted: bool = False
) -> tuple[Engine, str]:
    """Open a model file, with the files beside it, by the runtime of its suffix; return its device, too.

    Args:
        device: where it runs, or several names in the order to try: `cuda,cpu`; None for the CPU.
        threads: number of CPU threads of one call; None for one per core.
        trusted: whether this process wrote the file: else some runtimes must be named in `TRUSTED`.

    Raises:
        ModelError: the file is missing, too large, damaged or not a model, or it must be trusted.
        FasError: the engine is not installed.
        DeviceError: no such device is here.
        PluginError: the runtime is a plugin's, and failed.
    """
    if not path.is_file():
        raise ModelError(f"{path}: {'a folder, not a model file' if path.is_dir() else 'no such model file'}")
    runtime = find_runtime(path)
    if runtime is None:
        suffixes = sorted({suffix for item in command_registry().all(Runtime) for suffix in item.suffixes})
        raise ModelError(f"{path}: not a model file: supported are {format_list(suffixes, 20)}")
    if path.stat().st_size > MAX_SIZE:
        raise ModelError(f"{path}: larger than {MAX_SIZE >> 30} GiB, the limit for such files")
    if runtime.runs_code and not trusted:
        _check_trusted(path, runtime)
    engine, name = open_on_device(runtime, path, threads, device)
    _check_engine(engine, runtime)
    return engine, name


def _check_trusted(path: Path, runtime: Runtime) -> None:
    names = {name.strip() for name in os.environ.get(TRUSTED, "").split(",")}
    if not names & {runtime.name, runtime.qualified_name}:
        raise ModelError(
            f"{path}: not opened: such a file can run any code that it holds; "
            f"if you trust where it comes from, set {TRUSTED}={command_registry().name_of(runtime)}"
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
    if count == size:
        return run(dict(inputs))
    batches = [
        {name: value[start : start + size] for name, value in inputs.items()}
        for start in range(0, max(count, 1), size)
    ]
    if missing := size * len(batches) - count:
        batches[-1] = {
            name: np.concatenate([value, np.zeros((missing, *value.shape[1:]), value.dtype)])
            for name, value in batches[-1].items()
        }
    return [np.concatenate(column)[:count] for column in zip(*map(run, batches), strict=True)]


def first_line(error: Exception) -> str:
    """Return the first line of an engine's error, or its type where it has no text."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def damaged_file(path: Path, kind: str, reason: str = "") -> ModelError:
    """Return the error for a file that an engine refuses; `kind` is the format."""
    problem = f"{path}: cannot be loaded as {kind}, damaged or another kind of file"
    return ModelError(f"{problem}: {reason}" if reason else problem)
