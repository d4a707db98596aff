"""ONNX files by onnxruntime, on the CPU or on what its installed build supports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fas_core.card import METADATA_KEY
from fas_core.component import NoOptions
from fas_core.digests import check_model_file
from fas_core.errors import DeviceError, ModelError
from fas_core.runtime.engines import Array, damaged_file, first_line, run_in_batches
from fas_plugins.runtimes.onnx_graph import check_onnx

MAX_BATCH = 4096
"""Images that a graph of fixed batches may take at once."""

SPIN = "50"
"""Microseconds for which a thread without work looks for more. The next node of a graph comes sooner.

By default it is many milliseconds, which takes a core from whatever else runs: decoding, detection, Python.
"""

FATAL = 4  # onnxruntime's log level: it also raises what it would log below that


SUFFIX = "ExecutionProvider"
CPU = f"CPU{SUFFIX}"

GPUS = ("cuda", "rocm", "migraphx", "dml", "coreml", "webgpu")
"""Devices that `gpu` stands for, the first that onnxruntime was built for."""

NO_DEVICES = {"azure"}
"""Execution providers that leave the work, and so the faces, to another machine."""


def list_providers() -> dict[str, str]:
    """Return `{name of a device: execution provider}` of the installed onnxruntime: cpu, cuda, coreml, ..."""
    import onnxruntime

    names = {name.removesuffix(SUFFIX).lower(): name for name in onnxruntime.get_available_providers()}
    providers = {name: provider for name, provider in names.items() if name not in NO_DEVICES}
    gpu = next((providers[name] for name in GPUS if name in providers), None)
    return {"cpu": CPU, **providers} | ({} if gpu is None else {"gpu": gpu})


def list_devices() -> list[str]:
    """Return the names that `--device` takes."""
    return list(list_providers())


class OnnxEngine:
    """A session of onnxruntime. Threads may share it.

    Operators that another device lacks are computed on the CPU.

    Raises:
        DeviceError: the device does not start.
        ModelError: the file is damaged or no model, or its graph has what `check_onnx` refuses.
    """

    def __init__(
        self, options: NoOptions, path: Path, threads: int | None = None, device: str = "cpu"
    ) -> None:
        import onnxruntime

        check_model_file(path)
        check_onnx(path)
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = FATAL
        settings.intra_op_num_threads = threads or 0
        settings.add_session_config_entry("session.intra_op.spin_duration_us", SPIN)
        provider = list_providers()[device]
        try:
            # Without a fallback of its own: it would turn to the CPU where the device fails, now or later.
            self._session = onnxruntime.InferenceSession(
                path, settings, providers=[provider], enable_fallback=0
            )
            self.metadata = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
            self.inputs = tuple(node.name for node in self._session.get_inputs())
            self.outputs = tuple(node.name for node in self._session.get_outputs())
        except Exception as error:  # its exceptions share no public base
            if provider != CPU:
                raise DeviceError(f"{device} cannot run it: {first_line(error)}") from error
            raise damaged_file(path, "ONNX", first_line(error).rpartition("failed:")[2]) from error
        if self._session.get_providers()[0] != provider:
            raise DeviceError(f"{device} does not start: onnxruntime has no use of its {provider}")
        sizes = [node.shape[0] for node in self._session.get_inputs() if node.shape]
        self._batch = next((size for size in sizes if isinstance(size, int)), None)
        if self._batch is not None and not 1 <= self._batch <= MAX_BATCH:
            raise ModelError(f"{path}: takes batches of {self._batch} images; 1 to {MAX_BATCH} are possible")

    def run(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        if self._batch is None:
            return list(self._session.run(list(names), dict(inputs)))
        return run_in_batches(lambda batch: self._infer(names, batch), inputs, self._batch)

    def _infer(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        return list(self._session.run(list(names), dict(inputs)))
