"""The engine of OpenVINO's files: what it does with inputs of any memory layout, type and shape."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fas_core import NoOptions
from fas_core.library_settings import import_openvino
from fas_plugins.runtimes.openvino import OpenVinoEngine

if find_spec("openvino") is None:
    pytest.skip("needs openvino", allow_module_level=True)
openvino = import_openvino("this test")  # without its telemetry
opset = import_module("openvino.opset13")


def write_mean(path: Path, shape: list[int], kind: str) -> Path:
    """Write a graph whose output `score` is the mean of its input `rgb`, (B, H, W, 3)."""
    given = opset.parameter(openvino.PartialShape(shape), dtype=getattr(openvino.Type, kind), name="rgb")
    given.output(0).set_names({"rgb"})
    mean = opset.reduce_mean(opset.convert(given, "f32"), np.array([1, 2, 3]), keep_dims=False)
    mean.output(0).set_names({"score"})
    openvino.save_model(openvino.Model([mean], [given]), path, compress_to_fp16=False)
    return path


@pytest.mark.parametrize("shape", [[1, 4, 4, 3], [-1, 4, 4, 3], [1, -1, -1, 3]])
@pytest.mark.parametrize("kind", ["u8", "f32"])
def test_any_memory_layout_and_type(tmp_path: Path, shape: list[int], kind: str) -> None:
    engine = OpenVinoEngine(NoOptions(), write_mean(tmp_path / "m.xml", shape, kind), threads=1)
    images = np.arange(144, dtype=np.uint8).reshape(3, 4, 4, 3)
    fixed = images.copy()
    fixed.flags.writeable = False
    for given in (images, fixed, images.copy(order="F"), images.astype(np.float64), images[:1]):
        (score,) = engine.run(["score"], {"rgb": given})
        np.testing.assert_allclose(score, given.mean(axis=(1, 2, 3)), rtol=1e-6)


def test_what_it_gave_stays_when_it_is_called_again(tmp_path: Path) -> None:
    engine = OpenVinoEngine(NoOptions(), write_mean(tmp_path / "m.xml", [1, 4, 4, 3], "u8"), threads=1)
    scores = [engine.run(["score"], {"rgb": np.full((1, 4, 4, 3), level, np.uint8)})[0] for level in (3, 9)]
    assert [float(score[0]) for score in scores] == [3, 9]


def test_an_image_of_another_size_is_not_repeated(tmp_path: Path) -> None:
    engine = OpenVinoEngine(NoOptions(), write_mean(tmp_path / "m.xml", [1, 4, 4, 3], "u8"), threads=1)
    with pytest.raises(ValueError, match=r"input 'rgb' has the shape \(1, 1, 4, 3\) and should have"):
        engine.run(["score"], {"rgb": np.zeros((1, 1, 4, 3), np.uint8)})
