"""The contract check of runtimes accepts ours and names what others break."""

from __future__ import annotations

import functools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from fas_core.descriptors import Exporter
from fas_core.registry import registry
from fas_core.remembered_kinds import Runtime
from fas_core.testing import ContractError, check_component, check_runtime
from fas_plugins.runtimes.onnx import OnnxEngine


@pytest.mark.parametrize("name", ["openvino", "torch"])  # `written` checks that of ONNX
def test_our_runtimes_pass(name: str, tmp_path: Path) -> None:
    check_runtime(name, tmp_path)


class Swapped(OnnxEngine):
    def __init__(self, options: Any, path: Path, threads: int | None) -> None:
        super().__init__(options, path, threads)
        self.inputs = self.inputs[::-1]


class WithoutCard(OnnxEngine):
    def __init__(self, options: Any, path: Path, threads: int | None) -> None:
        super().__init__(options, path, threads)
        self.metadata = None


class FixedBatch(OnnxEngine):
    def run(self, names: Any, inputs: Any) -> Any:
        rows = {key: np.resize(value, (4, *value.shape[1:])) for key, value in inputs.items()}
        return super().run(names, rows)


class Column(OnnxEngine):
    def run(self, names: Any, inputs: Any) -> Any:
        return [value[:, None] for value in super().run(names, inputs)]


class Reversed(OnnxEngine):
    def run(self, names: Any, inputs: Any) -> Any:
        return [1 - value for value in super().run(names, inputs)]


class Remembers(OnnxEngine):
    """It keeps the images of a call where another thread finds them."""

    calls = 0

    def run(self, names: Any, inputs: Any) -> Any:
        self.calls += 1
        return [value + (self.calls > 5) for value in super().run(names, inputs)]


class Traceback(OnnxEngine):
    def __init__(self, options: Any, path: Path, threads: int | None) -> None:
        if path.stat().st_size < 20:
            raise EOFError("no header")
        super().__init__(options, path, threads)


class OpensAnything(OnnxEngine):
    def __init__(self, options: Any, path: Path, threads: int | None) -> None:
        if path.stem == "model":
            super().__init__(options, path, threads)


def take_no_path(options: Any) -> None:
    """A target that is called in another way than the contract says."""


@functools.cache
def written() -> bytes:
    """What fas-core's exporter writes of the kit's model, once for all of these tests."""
    exporter = registry().find(Exporter, "onnx")
    with TemporaryDirectory() as folder:
        check_runtime("onnx", Path(folder), exporter=exporter)
        return (Path(folder) / "model.onnx").read_bytes()


def copy_written(options: Any, destination: Path, **arguments: Any) -> None:
    """The target of an exporter that need not convert a model each time."""
    destination.write_bytes(written())


@pytest.mark.parametrize(
    ("runtime", "broken", "message"),
    [
        (Swapped, "engine", r"inputs \('depth', 'rgb'\): must be \('rgb', 'depth'\)"),
        (WithoutCard, "card", "metadata is None: must be the card's JSON"),
        (FixedBatch, "batch sizes", r"score of 1 faces is float32 \(4,\): must be \(1,\)"),
        (Column, "batch sizes", r"score of 4 faces is float32 \(4, 1\): must be \(4,\)"),
        (Reversed, "engine", "scores differ from the model's by"),
        (Remembers, "threads", "in threads, scores differ by 1"),
        (Traceback, "damaged files", "a file that is empty raised EOFError: raise fas_core.ModelError"),
        (OpensAnything, "damaged files", "opened a file that is torn"),
        (take_no_path, "call", "opening what the exporter copy wrote raised TypeError"),
    ],
)
def test_a_broken_runtime_is_named(tmp_path: Path, runtime: Any, broken: str, message: str) -> None:
    exporter = Exporter(name="copy", summary="", target=f"{__name__}:copy_written", suffix=".onnx")
    target = f"{__name__}:{runtime.__name__}"
    descriptor = Runtime(name="broken", summary="", target=target, suffixes=(".onnx",))
    with pytest.raises(ContractError, match=f"broken: {message}") as failure:
        check_runtime(descriptor, tmp_path, exporter=exporter)
    assert failure.value.rule == broken


def test_a_runtime_without_an_exporter_is_not_checked(tmp_path: Path) -> None:
    lonely = Runtime(name="lonely", summary="", target=f"{__name__}:Swapped", suffixes=(".none",))
    with pytest.raises(ContractError, match="no installed exporter writes its files: give `exporter`"):
        check_runtime(lonely, tmp_path)
    checked = check_component(lonely)
    assert (checked.status, checked.reason) == (
        "not checked",
        "no installed exporter writes files .none to open",
    )
