"""Settings of third-party libraries that must be made before they are imported: telemetry and size limits.

Photos of faces stay on the machine, and so does the fact that they are processed: no library that this
package uses may contact a host. `SECURITY.md` promises it.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fas_core.errors import FasError

MAX_PIXELS = 64_000_000
"""Larger images are refused: a file of a few kB can hold gigabytes of pixels."""

ENVIRONMENT = {
    # OpenCV checks the size that it will decode, whatever a header tells other readers.
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(MAX_PIXELS),
    # Else onnxruntime writes an identifier to the user's cache and contacts a host, from its import on.
    "ORT_DISABLE_TELEMETRY": "1",
    # Else a cluster of Ray reports its use to a host.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Else each of the processes that train together prints hints on speed, and traces of closed connections.
    "TORCH_CPP_LOG_LEVEL": "ERROR",
}
"""Environment variables and our values; child processes inherit them, and those that are set stay."""

OPENVINO_TELEMETRY = "openvino_telemetry"
"""Package that OpenVINO's converter uses, if it can be imported, to send usage data."""


def configure() -> None:
    """Set the environment variables that libraries read on import; warn if it is too late for that."""
    if "ORT_DISABLE_TELEMETRY" not in os.environ and "onnxruntime" in sys.modules:
        warnings.warn(
            "onnxruntime was imported before fas_core, and its telemetry is on: import fas_core first, "
            "or set ORT_DISABLE_TELEMETRY=1",
            stacklevel=3,
        )
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def import_openvino(purpose: object) -> Any:
    """Import OpenVINO without its telemetry and return the module.

    Args:
        purpose: the file or option that needs it, for the error.

    Raises:
        FasError: OpenVINO is not installed.
    """
    if sys.modules.get("openvino") is not None:
        if sys.modules.get(OPENVINO_TELEMETRY) is not None:
            warnings.warn("openvino was imported before fas_core, and its telemetry is on", stacklevel=2)
        return sys.modules["openvino"]
    with _hide_module(OPENVINO_TELEMETRY):
        try:
            return importlib.import_module("openvino")
        except ImportError as error:
            raise FasError(f"{purpose}: needs openvino: pip install 'fas-core[openvino]'") from error


def openvino_core(purpose: object) -> Any:
    """Return the `openvino.Core` of this process, which it keeps until it ends.

    A core gives the thread that first compiles a model a stack for signals, and frees it with itself. Of two
    cores, the first freed first, the second leaves the thread with the first's stack, which is gone: the next
    signal that Python handles, such as Ctrl-C, ends the process by SIGSEGV.

    Args:
        purpose: the file or option that needs it, for the error.

    Raises:
        FasError: OpenVINO is not installed.
    """
    import_openvino(purpose)
    return _build_core()


@functools.cache
def _build_core() -> Any:
    return importlib.import_module("openvino").Core()


@contextmanager
def _hide_module(name: str) -> Iterator[None]:
    """Make importing a module fail within the block."""
    module = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
        if module is not None:
            sys.modules[name] = module
