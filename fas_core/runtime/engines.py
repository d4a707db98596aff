"""What runs a model file: onnxruntime for `.onnx`, OpenVINO for its `.xml`; both behind one small face."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fas_core.card import METADATA_KEY
from fas_core.errors import FasError, ModelError, format_list

Array = NDArray[Any]

FATAL = 4  # onnxruntime's log level: what it would print below that, it raises as well


class Engine(Protocol):
    """An open model file. May be run from several threads at once.

    `kind` is the format's name, `metadata` the text of the card (None where the file has none);
    `inputs` and `outputs` are the graph's names in order.
    """

    kind: str
    metadata: str | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, names: Sequence[str], given: Mapping[str, Array]) -> list[Array]:
        """The named outputs for inputs of B rows each; a graph of one row is run B times."""
        ...


def open_engine(path: Path, threads: int | None = None) -> Engine:
    """Open a model file by the engine that its ending names.

    Args:
        path: `.onnx`, or an OpenVINO `.xml` with its `.bin` beside it.
        threads: CPU threads of one call; None for one per core.

    Raises:
        ModelError: the file is missing, damaged, or no such model.
        FasError: its engine is not installed.
    """
    if not path.is_file():
        raise ModelError(f"{path}: {'a folder, not a model file' if path.is_dir() else 'no such model file'}")
    engine = ENGINES.get(path.suffix.lower())
    if engine is None:
        raise ModelError(f"{path}: what runs here ends in {format_list(ENGINES)}")
    return engine(path, threads)


class OnnxEngine:
    """ONNX by onnxruntime, on the CPU."""

    kind = "ONNX"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = FATAL
        options.intra_op_num_threads = threads or 0
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no public base
            reason = str(error).splitlines()[0].rpartition("failed:")[2]
            raise _damaged(path, self.kind, reason) from error
        self.metadata = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        self.inputs = tuple(given.name for given in self._session.get_inputs())
        self.outputs = tuple(output.name for output in self._session.get_outputs())

    def run(self, names: Sequence[str], given: Mapping[str, Array]) -> list[Array]:
        return list(self._session.run(list(names), dict(given)))


class OpenVinoEngine:
    """An OpenVINO IR on the CPU, computed in float32 (or int8) also where the CPU could do bfloat16.

    Args:
        threads: of all calls together, which run one after the other.
    """

    kind = "OpenVINO"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        try:
            import openvino
        except ImportError as error:
            raise FasError(f"{path}: needs openvino: pip install 'fas-core[openvino]'") from error
        if not path.with_suffix(".bin").is_file():
            raise ModelError(f"{path}: its weights are not beside it: no {path.with_suffix('.bin').name}")
        precise = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        limited = {"INFERENCE_NUM_THREADS": threads} if threads else {}
        core = openvino.Core()
        try:
            model = core.read_model(path)
            self._compiled = core.compile_model(model, "CPU", precise | limited)
        except RuntimeError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise _damaged(path, self.kind, lines[-1]) from error
        info = model.get_rt_info()
        self.metadata = model.get_rt_info([METADATA_KEY]).astype(str) if METADATA_KEY in info else None
        self.inputs = tuple(given.get_any_name() for given in model.inputs)
        self.outputs = tuple(output.get_any_name() for output in model.outputs)
        self._static = any(given.get_partial_shape()[0].is_static for given in model.inputs)
        self._widths = {output.get_any_name(): _row(output) for output in model.outputs}
        self._own = threading.local()

    def run(self, names: Sequence[str], given: Mapping[str, Array]) -> list[Array]:
        rows = len(next(iter(given.values())))
        if not self._static or rows == 1:
            return self._once(names, given)
        parts = [
            self._once(names, {name: value[row : row + 1] for name, value in given.items()})
            for row in range(rows)
        ]
        empty = [np.zeros((0, *self._widths[name]), np.float32) for name in names]
        return [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else empty

    def _once(self, names: Sequence[str], given: Mapping[str, Array]) -> list[Array]:
        # A request holds its call's tensors, so every thread has its own.
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        whole = {name: np.ascontiguousarray(value) for name, value in given.items()}
        request.infer(whole, share_inputs=True)
        return [np.array(request.get_tensor(name).data) for name in names]


def _row(output: Any) -> tuple[int, ...]:
    """The shape of one row, a size that is not fixed being 0."""
    return tuple(size.get_length() if size.is_static else 0 for size in list(output.get_partial_shape())[1:])


def _damaged(path: Path, kind: str, reason: str) -> ModelError:
    return ModelError(f"{path}: cannot be loaded as {kind}, damaged or another kind of file: {reason}")


ENGINES: dict[str, type[OnnxEngine] | type[OpenVinoEngine]] = {".onnx": OnnxEngine, ".xml": OpenVinoEngine}
"""By the file name's ending."""
