"""OpenVINO's intermediate representation, on the CPU."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fas_core.card import METADATA_KEY
from fas_core.component import NoOptions
from fas_core.digests import check_model_file
from fas_core.errors import ModelError
from fas_core.library_settings import openvino_core
from fas_core.runtime.engines import Array, damaged_file, run_by_row
from fas_plugins.runtimes.openvino_graph import check_openvino


class OpenVinoEngine:
    """A compiled model, in float32 (or int8) also where the CPU supports bfloat16. Threads may share it.

    All calls together use `threads` CPU threads, and run one after the other.

    Raises:
        ModelError: a file is missing, damaged or no model, or the graph has what `check_openvino` refuses.
        FasError: OpenVINO is not installed.
    """

    def __init__(self, options: NoOptions, path: Path, threads: int | None = None) -> None:
        check_model_file(path)
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
            raise damaged_file(path, "OpenVINO", lines[-1] if lines else type(error).__name__) from error
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
