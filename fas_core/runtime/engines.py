"""Engines that run model files: onnxruntime for `.onnx`, OpenVINO for `.xml`, behind one interface."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fas_core.card import METADATA_KEY
from fas_core.digests import check_model_file
from fas_core.errors import ModelError, format_list
from fas_core.library_settings import openvino_core
from fas_core.runtime.onnx_graph import check_onnx
from fas_core.runtime.openvino_graph import check_openvino

Array = NDArray[Any]

MAX_SIZE = 2 << 30
"""Bytes of a file, which is read as a whole; no ONNX file can be larger."""

MAX_BATCH = 4096
"""Images that a graph of fixed batches may take at once."""

FATAL = 4  # onnxruntime's log level: it also raises what it would log below that


class Engine(Protocol):
    """An open model file. Threads may share it.

    Attributes:
        kind: name of the format.
        metadata: text of the card; None where the file has none.
        inputs, outputs: names of the graph's inputs and outputs, in order.
    """

    kind: str
    metadata: str | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Compute the named outputs of inputs of B rows each, also where the graph takes a fixed number."""
        ...


def open_engine(path: Path, threads: int | None = None) -> Engine:
    """Open `.onnx`, or an OpenVINO `.xml` with its `.bin` beside it, with the engine of the suffix.

    `threads` is the number of CPU threads of one call; None for one per core. Raises ModelError if the file
    is missing, damaged or not a model, and FasError if the engine is not installed.
    """
    if not path.is_file():
        raise ModelError(f"{path}: {'a folder, not a model file' if path.is_dir() else 'no such model file'}")
    engine = ENGINES.get(path.suffix.lower())
    if engine is None:
        raise ModelError(f"{path}: not a model file: supported are {format_list(ENGINES)}")
    if path.stat().st_size > MAX_SIZE:
        raise ModelError(f"{path}: larger than {MAX_SIZE >> 30} GiB, the limit for such files")
    check_model_file(path)
    return engine(path, threads)


class OnnxEngine:
    """Runs ONNX by onnxruntime on the CPU."""

    kind = "ONNX"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        import onnxruntime

        check_onnx(path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = FATAL
        options.intra_op_num_threads = threads or 0
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            self.metadata = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
            self.inputs = tuple(node.name for node in self._session.get_inputs())
            self.outputs = tuple(node.name for node in self._session.get_outputs())
        except Exception as error:  # its exceptions share no public base
            raise _damaged(path, self.kind, first_line(error).rpartition("failed:")[2]) from error
        sizes = [node.shape[0] for node in self._session.get_inputs() if node.shape]
        self._batch = next((size for size in sizes if isinstance(size, int)), None)
        if self._batch is not None and not 1 <= self._batch <= MAX_BATCH:
            raise ModelError(f"{path}: takes batches of {self._batch} images; 1 to {MAX_BATCH} are possible")

    def run(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        if self._batch is None:
            return self._infer(names, inputs)
        return run_in_batches(lambda batch: self._infer(names, batch), inputs, self._batch)

    def _infer(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        return list(self._session.run(list(names), dict(inputs)))


class OpenVinoEngine:
    """Runs an OpenVINO IR on the CPU, in float32 (or int8) also where the CPU supports bfloat16.

    All calls together use `threads` CPU threads, and run one after the other.
    """

    kind = "OpenVINO"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        core = openvino_core(path)
        if not path.with_suffix(".bin").is_file():
            raise ModelError(f"{path}: its weights are not beside it: no {path.with_suffix('.bin').name}")
        check_openvino(path)
        config: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        try:
            model = core.read_model(path)
            self._compiled = core.compile_model(model, "CPU", config)
            info = model.get_rt_info()
            self.metadata = model.get_rt_info([METADATA_KEY]).astype(str) if METADATA_KEY in info else None
            self.inputs = tuple(node.get_any_name() for node in model.inputs)
            self.outputs = tuple(node.get_any_name() for node in model.outputs)
            self._takes_batches = not any(node.get_partial_shape()[0].is_static for node in model.inputs)
        except Exception as error:  # of damaged files it raises many
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise _damaged(path, self.kind, lines[-1] if lines else type(error).__name__) from error
        self._thread = threading.local()

    def run(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        if self._takes_batches:
            return self._infer(names, inputs)
        return run_by_row(lambda row: self._infer(names, row), inputs)

    def _infer(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        # A request holds its call's tensors, so every thread has its own.
        request = getattr(self._thread, "request", None)
        if request is None:
            request = self._thread.request = self._compiled.create_infer_request()
        contiguous = {name: np.ascontiguousarray(value) for name, value in inputs.items()}
        request.infer(contiguous, share_inputs=True)
        return [np.array(request.get_tensor(name).data) for name in names]


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


def _damaged(path: Path, kind: str, reason: str) -> ModelError:
    return ModelError(f"{path}: cannot be loaded as {kind}, damaged or another kind of file: {reason}")


ENGINES: dict[str, type[OnnxEngine] | type[OpenVinoEngine]] = {".onnx": OnnxEngine, ".xml": OpenVinoEngine}
"""By the suffix of the file name."""
