"""What this machine has: CPU, memory, free space, and the devices that networks run on."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import frozen
from platformdirs import user_cache_path

from fas_core.data.parallel import cores
from fas_core.errors import FasError, PluginError
from fas_core.exporting.cpu import describe_cpu
from fas_core.registry import Registry
from fas_core.remembered_kinds import Runtime
from fas_core.runtime.devices import list_devices

MEMORY = Path("/proc/meminfo")
SHARED_MEMORY = Path("/dev/shm")

GB = 1e9


@frozen
class Space:
    """Free and total bytes of a file system, in GB."""

    free: float
    total: float

    @classmethod
    def of(cls, path: Path) -> Space:
        """Measure the file system of a path, which need not exist."""
        existing = next(item for item in (path, *path.parents) if item.exists())
        usage = shutil.disk_usage(existing)
        return cls(usage.free / GB, usage.total / GB)


def describe_system() -> str:
    """Return the operating system and the C library, e.g. `Linux x86_64, glibc 2.36`."""
    library = " ".join(filter(None, platform.libc_ver()))
    release = platform.mac_ver()[0] or ("" if library else platform.release())
    return ", ".join(filter(None, (f"{platform.system()} {platform.machine()}", release, library)))


def measure_space() -> dict[str, Space]:
    """Return what is free where fas writes: here, for temporary files, caches, and in shared memory."""
    places = {"this folder": Path().absolute(), "temporary files": Path(tempfile.gettempdir())}
    places["caches"] = user_cache_path("fas")
    if SHARED_MEMORY.is_dir():
        places[str(SHARED_MEMORY)] = SHARED_MEMORY
    return {name: Space.of(path) for name, path in places.items()}


def measure_memory() -> Space | None:
    """Return what is free of the main memory; None where the operating system does not tell."""
    if not MEMORY.is_file():
        return None
    pairs = (line.partition(":") for line in MEMORY.read_text(encoding="utf-8").splitlines())
    kilobytes = {key: int(value.split()[0]) for key, _, value in pairs if value.strip()}
    return Space(*(kilobytes[key] * 1024 / GB for key in ("MemAvailable", "MemTotal")))


def describe_processor() -> dict[str, Any]:
    """Return name and features of the CPU, and how many of its cores this process may use."""
    cpu = describe_cpu()
    features = None if cpu.features is None else list(cpu.features)
    return {"name": cpu.name, "features": features, "cores": cores(), "of": os.cpu_count()}


def list_all_devices(registry: Registry) -> tuple[dict[str, list[str]], list[str]]:
    """Return the devices that PyTorch and each runtime of exported models has, and what fails about them.

    A runtime whose package is not installed has none.
    """
    devices: dict[str, list[str]] = {}
    problems: list[str] = []
    try:
        devices["PyTorch"] = _list_torch_devices()
    except Exception as error:  # e.g. a library of the system that it does not find
        problems.append(f"torch cannot be imported: {type(error).__name__}: {error}")
    for runtime in registry.all(Runtime):
        try:
            devices[runtime.name] = list(list_devices(runtime))
        except PluginError as error:
            problems.append(error.message)
        except FasError:  # that its package is missing is said of its extra
            devices[runtime.name] = []
    return devices, problems


def _list_torch_devices() -> list[str]:
    if find_spec("torch") is None:
        return []
    import torch

    gpus = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    return ["cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]
