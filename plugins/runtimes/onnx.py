"""ONNX files by onnxruntime, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fas_core.card import METADATA_KEY
from fas_core.component import NoOptions
from fas_core.digests import check_model_file
from fas_core.errors import ModelError
from fas_core.runtime.engines import Array, damaged_file, first_line, run_in_batches
from fas_plugins.runtimes.onnx_graph import check_onnx

MAX_BATCH = 4096
"""Images that a graph of fixed batches may take at once."""

FATAL = 4  # onnxruntime's log level: it also raises what it would log below that


class OnnxEngine:
    """A session of onnxruntime. Threads may share it.

    Raises:
        ModelError: the file is damaged or no model, or its graph has what `check_onnx` refuses.
    """

    def __init__(self, options: NoOptions, path: Path, threads: int | None = None) -> None:
        import onnxruntime

        check_model_file(path)
        check_onnx(path)
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = FATAL
        settings.intra_op_num_threads = threads or 0
        try:
            self._session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
            self.metadata = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
            self.inputs = tuple(node.name for node in self._session.get_inputs())
            self.outputs = tuple(node.name for node in self._session.get_outputs())
        except Exception as error:  # its exceptions share no public base
            raise damaged_file(path, "ONNX", first_line(error).rpartition("failed:")[2]) from error
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
