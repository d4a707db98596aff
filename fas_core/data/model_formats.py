"""The formats of model files: which runtime opens a file, found by the file's name."""

from __future__ import annotations

from pathlib import Path

from fas_core.command_cache import command_registry
from fas_core.console import console
from fas_core.errors import PluginError
from fas_core.registry import DISABLE
from fas_core.remembered_kinds import Runtime


def find_runtime(path: Path) -> Runtime | None:
    """Return the runtime for files of this name, that of the longest suffix; None where there is none.

    Of several with one suffix fas-core's own is taken, with a warning.

    Raises:
        PluginError: several plugins of others open such files.
    """
    name = path.name.lower()
    matches = [
        (len(suffix), item)
        for item in command_registry().all(Runtime)
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
    runtimes = [item for item in command_registry().all(Runtime) if not item.runs_code]
    return sorted({suffix for item in runtimes for suffix in (*item.suffixes, *item.beside)})


def list_model_files(path: Path) -> list[Path]:
    """Return a model file, and the files beside it that belong to it by its runtime and exist."""
    runtime = find_runtime(path)
    beside = [] if runtime is None else [path.with_suffix(suffix) for suffix in runtime.beside]
    return [path, *(item for item in beside if item.is_file())]
