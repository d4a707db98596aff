"""The devices that users name for a model file: the first of them that is here, and never another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fas_core.console import console
from fas_core.errors import ConfigError, DeviceError, PluginError
from fas_core.remembered_kinds import Runtime

if TYPE_CHECKING:
    from fas_core.contracts import Engine

CPU = "cpu"


def parse_devices(text: str) -> tuple[str, ...]:
    """Return the names in `cuda,cpu`, in lower case; raise ConfigError where there is none between commas."""
    names = tuple(name.strip().lower() for name in text.split(","))
    if not all(names):
        raise ConfigError(f"--device {text!r}: give a device, or several in the order to try: cuda,cpu")
    return names


def check_run_device(run: Path, wanted: str | None) -> None:
    """Raise DeviceError if a run is wanted on other devices than the CPU, where PyTorch scores it."""
    if wanted is not None and CPU not in parse_devices(wanted):
        raise DeviceError(f"{run}: --device {wanted}: a run is scored on the CPU: give an exported model")


def open_on_device(
    runtime: Runtime, path: Path, threads: int | None, wanted: str | None
) -> tuple[Engine, str]:
    """Open a file on the first of the wanted devices that is here and starts; return the device, too.

    Where that is not the first of all, a warning says why.

    Args:
        wanted: names with commas between them; None for the CPU.

    Raises:
        DeviceError: none is here and starts; the message lists those that are.
        ConfigError: `wanted` names none.
    """
    names, available = parse_devices(wanted or CPU), list_devices(runtime)
    problems: list[str] = []
    for name in names:
        try:
            if name not in available:
                raise DeviceError(f"{name} is not here")
            arguments: dict[str, Any] = {"device": name} if runtime.devices else {}
            engine: Engine = runtime.call(runtime.options(), path=path, threads=threads, **arguments)
        except DeviceError as error:
            problems.append(error.message)
        else:
            if problems:
                console.warn_once(f"{path}: runs on {name}: {'; '.join(problems)}")
            return engine, name
    here = ", ".join(available)
    raise DeviceError(f"{path}: --device {','.join(names)}: {'; '.join(problems)}: {runtime.name} has {here}")


def list_devices(runtime: Runtime) -> Sequence[str]:
    """Return the names of a runtime's devices that are here.

    Raises:
        PluginError: they are no names.
    """
    if not runtime.devices:
        return (CPU,)
    function = runtime.load_devices()
    with runtime.naming_failures(function):
        names: Sequence[str] = tuple(function())
    if not names or not all(isinstance(name, str) and name == name.lower() for name in names):
        raise PluginError(f"{runtime}: its devices are no names in lower case: {names!r}")
    return names
