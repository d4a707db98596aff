"""Engines behind one interface; OpenVINO files are tested with their exporter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fas_core import ModelError
from fas_core.runtime.engines import Array, open_engine, run_by_row, run_in_batches


def test_an_onnx_file(mean_model: Any) -> None:
    engine = open_engine(mean_model(("rgb", "ir")), threads=1)
    assert (engine.inputs, engine.outputs) == (("rgb", "ir"), ("score",))
    assert engine.metadata is not None
    assert '"modalities"' in engine.metadata
    images = {name: np.full((3, 8, 8, 3), 51, np.uint8) for name in engine.inputs}
    (scores,) = engine.run(["score"], images)
    np.testing.assert_allclose(scores, [0.2] * 3, rtol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_row_by_row_is_the_same_as_at_once(count: int) -> None:
    calls = []

    def double(inputs: dict[str, Array]) -> list[Array]:
        calls.append(len(inputs["x"]))
        return [2 * inputs["x"], inputs["x"].sum(axis=1)]

    x = np.arange(4.0 * count).reshape(count, 4)
    doubled, sums = run_by_row(double, {"x": x})
    np.testing.assert_array_equal(doubled, 2 * x)
    np.testing.assert_array_equal(sums, x.sum(axis=1))
    assert calls == [1] * max(count, 1)


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (2, 1), (3, 1), (7, 3)])
def test_a_fixed_batch_is_filled_up(count: int, calls: int) -> None:
    sizes = []

    def double(inputs: dict[str, Array]) -> list[Array]:
        sizes.append(len(inputs["x"]))
        return [2 * inputs["x"]]

    x = np.arange(4.0 * count).reshape(count, 4)
    (doubled,) = run_in_batches(double, {"x": x}, 3)
    np.testing.assert_array_equal(doubled, 2 * x)
    assert sizes == [3] * calls


def test_a_full_batch_is_not_copied() -> None:
    x = np.arange(12.0).reshape(3, 4)
    (same,) = run_in_batches(lambda inputs: [inputs["x"]], {"x": x}, 3)
    assert same is x


def test_files_that_are_no_models(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model file"):
        open_engine(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="a folder, not a model file"):
        open_engine(tmp_path)
    (tmp_path / "weights.pth").touch()
    with pytest.raises(
        ModelError, match=r"weights\.pth: not a model file: supported are \.onnx, \.pt2, \.pte, \.xml"
    ):
        open_engine(tmp_path / "weights.pth")
    (tmp_path / "bad.onnx").write_text("text")
    with pytest.raises(ModelError, match=r"bad\.onnx: cannot be loaded as ONNX, damaged or"):
        open_engine(tmp_path / "bad.onnx")


@pytest.mark.parametrize("name", ["model.onnx", "model.xml", "model.pt2"])
def test_a_file_that_no_memory_holds_is_not_read(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as file:
        file.truncate(3 << 30)  # takes no place on the disk
    with pytest.raises(ModelError, match=f"{name}: larger than 2 GiB, the limit for such files"):
        open_engine(tmp_path / name)
