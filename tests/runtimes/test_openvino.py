"""The engine of OpenVINO's files: what it does with inputs of any memory layout, type and shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fas_core import NoOptions
from fas_plugins.runtimes.openvino import OpenVinoEngine

WriteMean = Callable[[list[int], str], Path]


@pytest.fixture
def write_mean(openvino: Any, tmp_path: Path) -> WriteMean:
    """`write_mean(shape, type)`: its output `score` is the mean of its input `rgb`, (B, H, W, 3)."""
    opset = openvino.opset13

    def write(shape: list[int], kind: str) -> Path:
        given = opset.parameter(openvino.PartialShape(shape), dtype=getattr(openvino.Type, kind), name="rgb")
        given.output(0).set_names({"rgb"})
        mean = opset.reduce_mean(opset.convert(given, "f32"), np.array([1, 2, 3]), keep_dims=False)
        mean.output(0).set_names({"score"})
        openvino.save_model(openvino.Model([mean], [given]), tmp_path / "m.xml", compress_to_fp16=False)
        return tmp_path / "m.xml"

    return write


@pytest.mark.parametrize("shape", [[1, 4, 4, 3], [-1, 4, 4, 3], [1, -1, -1, 3]])
@pytest.mark.parametrize("kind", ["u8", "f32"])
def test_any_memory_layout_and_type(write_mean: WriteMean, shape: list[int], kind: str) -> None:
    engine = OpenVinoEngine(NoOptions(), write_mean(shape, kind), threads=1)
    images = np.arange(144, dtype=np.uint8).reshape(3, 4, 4, 3)
    fixed = images.copy()
    fixed.flags.writeable = False
    for given in (images, fixed, images.copy(order="F"), images.astype(np.float64), images[:1]):
        (score,) = engine.run(["score"], {"rgb": given})
        np.testing.assert_allclose(score, given.mean(axis=(1, 2, 3)), rtol=1e-6)


def test_what_it_gave_stays_when_it_is_called_again(write_mean: WriteMean) -> None:
    engine = OpenVinoEngine(NoOptions(), write_mean([1, 4, 4, 3], "u8"), threads=1)
    scores = [engine.run(["score"], {"rgb": np.full((1, 4, 4, 3), level, np.uint8)})[0] for level in (3, 9)]
    assert [float(score[0]) for score in scores] == [3, 9]


def test_an_image_of_another_size_is_not_repeated(write_mean: WriteMean) -> None:
    engine = OpenVinoEngine(NoOptions(), write_mean([1, 4, 4, 3], "u8"), threads=1)
    with pytest.raises(ValueError, match=r"input 'rgb' has the shape \(1, 1, 4, 3\) and should have"):
        engine.run(["score"], {"rgb": np.zeros((1, 1, 4, 3), np.uint8)})
