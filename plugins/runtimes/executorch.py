"""ExecuTorch's programs, by its runtime for Python on the CPU: what a phone would run.

ExecuTorch checks a file before it reads it, but not all that the file says: a file that was made to can bring
the process down, or worse.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from fas_core.card import METADATA_KEY, PRESENCE
from fas_core.component import NoOptions
from fas_core.digests import check_model_file
from fas_core.errors import require
from fas_core.runtime.engines import Array, damaged_file, first_line, run_by_row
from fas_core.runtime.stored_card import read_card

OUTPUTS = "fas_outputs"
"""Name of the method that gives the names of the outputs; `METADATA_KEY` is that of the card's."""

FORWARD = "forward"

_lock = threading.Lock()
"""All programs of a process share its threads, and a method cannot run twice at once."""


class ExecuTorchEngine:
    """A program for one sample per call. Threads may share it; calls run one after the other.

    All programs of a process compute with as many CPU threads as the first of them was opened for.

    Raises:
        ModelError: the file is damaged or no program.
        FasError: ExecuTorch is not installed.
    """

    def __init__(self, options: NoOptions, path: Path, threads: int | None = None) -> None:
        runtime = import_executorch("executorch.runtime")
        check_model_file(path)
        try:
            with silence_executorch():
                self._program = runtime.Runtime.get().load_program(path)
                _threads.set(threads)
                self._forward = self._program.load_method(FORWARD)
                self.metadata = self._read_text(METADATA_KEY)
                outputs = self._read_text(OUTPUTS)
            meta = self._program.metadata(FORWARD)
            inputs, count = meta.num_inputs(), meta.num_outputs()
            names = () if outputs is None else tuple(json.loads(outputs))
        except (RuntimeError, ValueError, KeyError) as error:
            raise damaged_file(path, "an ExecuTorch program", first_line(error)) from error
        self.outputs = names or tuple(f"output_{number}" for number in range(count))
        if self.metadata is None:
            self.inputs = tuple(f"input_{number}" for number in range(inputs))
        else:
            takes = read_card(self.metadata, str(path)).input
            self.inputs = (*takes.modalities, *((PRESENCE,) if takes.partial else ()))

    def run(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        with _lock:
            return run_by_row(partial(self._infer, names), inputs)

    def _infer(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        import torch

        values = self._forward.execute([torch.from_numpy(np.array(inputs[name])) for name in self.inputs])
        outputs = dict(zip(self.outputs, values, strict=True))
        return [outputs[name].numpy() for name in names]

    def _read_text(self, method: str) -> str | None:
        """Return the text that a method gives as bytes; None where the program has no such method."""
        if method not in self._program.method_names:
            return None
        (text,) = self._program.load_method(method).execute([])
        return bytes(text.numpy()).decode()


def import_executorch(module: str) -> Any:
    """Import a module of ExecuTorch without what it prints and warns about.

    Raises:
        FasError: it is not installed.
    """
    require("executorch", "executorch")
    with silence_executorch():
        return import_module(module)


@contextmanager
def silence_executorch() -> Iterator[None]:
    """Suppress what ExecuTorch and torchao print, log and warn about; exceptions still propagate.

    Its C++ code logs to the process's stderr, which meanwhile leads nowhere.
    """
    loggers = [logging.getLogger(name) for name in ("torch", "torchao", "executorch")]
    levels = [logger.level for logger in loggers]
    sys.stderr.flush()
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


class _Threads:
    """The CPU threads of all programs: those that loaded while it had others would crash."""

    is_set = False

    def set(self, wanted: int | None) -> None:
        """Use so many threads, at the first call; None: as many as ExecuTorch chooses."""
        with _lock:
            if not self.is_set and wanted is not None:
                library = import_module("executorch.extension.pybindings.portable_lib")
                library._unsafe_reset_threadpool(wanted)
            self.is_set = True


_threads = _Threads()
