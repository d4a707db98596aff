"""OpenVINO's intermediate representation, on the CPU or another device of OpenVINO."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fas_core.card import METADATA_KEY
from fas_core.component import NoOptions
from fas_core.digests import check_model_file
from fas_core.errors import DeviceError, ModelError
from fas_core.library_settings import openvino_core
from fas_core.runtime.engines import Array, damaged_file, run_by_row
from fas_plugins.runtimes.openvino_graph import check_openvino

PLAIN_TYPES = {"u8", "boolean", "f32"}
"""Types of inputs: of our files, and of most others."""


class OpenVinoEngine:
    """A compiled model, in float32 (or int8) also where the CPU supports bfloat16. Threads may share it.

    On the CPU all calls together use `threads` threads, and run one after the other.

    Raises:
        DeviceError: the device cannot run the model.
        ModelError: a file is missing, damaged or no model, or the graph has what `check_openvino` refuses.
        FasError: OpenVINO is not installed.
    """

    def __init__(
        self, options: NoOptions, path: Path, threads: int | None = None, device: str = "cpu"
    ) -> None:
        check_model_file(path)
        core = openvino_core(path)
        if not path.with_suffix(".bin").is_file():
            raise ModelError(f"{path}: its weights are not beside it: no {path.with_suffix('.bin').name}")
        check_openvino(path)
        config: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if threads and device == "cpu":
            config["INFERENCE_NUM_THREADS"] = threads
        try:
            model = core.read_model(path)
            self._compiled = _compile(core, model, device, config)
            info = model.get_rt_info()
            self.metadata = model.get_rt_info([METADATA_KEY]).astype(str) if METADATA_KEY in info else None
            self.inputs = tuple(node.get_any_name() for node in model.inputs)
            self.outputs = tuple(node.get_any_name() for node in model.outputs)
            self._takes_batches = not any(node.get_partial_shape()[0].is_static for node in model.inputs)
            self._is_preallocated = all(map(_is_plain, model.inputs))
        except DeviceError:
            raise
        except Exception as error:  # of damaged files it raises many
            raise damaged_file(path, "OpenVINO", _last_line(error)) from error
        self._thread = threading.local()

    def run(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        request: _Request | None = getattr(self._thread, "request", None)
        if request is None:
            request = self._thread.request = _Request(self._compiled, self._is_preallocated)
        if self._takes_batches or len(inputs[self.inputs[0]]) == 1:
            return request.infer(names, inputs)
        return run_by_row(partial(request.infer, names), inputs)


def list_devices() -> list[str]:
    """Return the names that `--device` takes: those of OpenVINO's devices in lower case."""
    return [name.lower() for name in openvino_core("--device").available_devices]


def _compile(core: Any, model: Any, device: str, config: Mapping[str, Any]) -> Any:
    """Compile a model; raise DeviceError where another device than the CPU refuses."""
    if device == "cpu":
        return core.compile_model(model, "CPU", config)
    try:
        return core.compile_model(model, device.upper(), config)
    except Exception as error:  # its exceptions share no public base
        raise DeviceError(f"{device} cannot run it: {_last_line(error)}") from error


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


class _Request:
    """An inference request, of one thread: it holds the tensors of a call."""

    def __init__(self, compiled: Any, is_preallocated: bool) -> None:
        self._request = compiled.create_infer_request()
        names = [node.get_any_name() for node in compiled.inputs] if is_preallocated else []
        # To fill the tensors takes a third of the time that making them for each call takes.
        self._inputs: dict[str, Array] = {name: self._request.get_tensor(name).data for name in names}
        outputs = {node.get_any_name(): node.get_partial_shape() for node in compiled.outputs}
        are_fixed = is_preallocated and all(shape.is_static for shape in outputs.values())
        self._outputs: dict[str, Array] = {
            name: self._request.get_tensor(name).data for name in outputs if are_fixed
        }

    def infer(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Run the graph; raise ValueError if an input has another shape than the graph's."""
        if not self._inputs:
            contiguous = {name: np.ascontiguousarray(value) for name, value in inputs.items()}
            self._request.infer(contiguous, share_inputs=True, share_outputs=True)
            return self._read(names)
        for name, tensor in self._inputs.items():
            value = inputs[name]
            if value.shape != tensor.shape:  # NumPy would repeat a smaller one
                raise ValueError(f"input {name!r} has the shape {value.shape} and should have {tensor.shape}")
            tensor[...] = value
        self._request.infer(share_outputs=True)
        return [np.array(self._outputs[name]) for name in names] if self._outputs else self._read(names)

    def _read(self, names: Sequence[str]) -> list[Array]:
        return [np.array(self._request.get_tensor(name).data) for name in names]


def _is_plain(node: Any) -> bool:
    """Whether an input's tensor is an array of one size, of a type that NumPy has."""
    is_fixed = node.get_partial_shape().is_static
    return bool(is_fixed and node.get_element_type().get_type_name() in PLAIN_TYPES)
