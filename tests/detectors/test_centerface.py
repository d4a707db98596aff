"""Decoding CenterFace's maps, by numbers worked by hand; and a network that has its outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fas_core import NoOptions
from fas_plugins.detectors.centerface import CenterFace, decode_maps


def blank_maps(rows: int = 6, columns: int = 8) -> list[NDArray[np.float32]]:
    return [np.zeros((channels, rows, columns), np.float32) for channels in (1, 2, 2, 10)]


def test_a_face_is_decoded() -> None:
    heat, sizes, offsets, points = maps = blank_maps()
    heat[0, 2, 3] = 0.9
    sizes[:, 2, 3] = np.log(5), np.log(3)  # 20 pixels high, 12 wide
    offsets[:, 2, 3] = 0.25, -0.5
    points[0:2, 2, 3] = 0.1, 0.5  # y, x of the first point
    (face,) = decode_maps(maps)
    # The centre is ((3 - 0.5 + 0.5) * 4, (2 + 0.25 + 0.5) * 4) = (12, 11).
    assert face.box == pytest.approx((6, 1, 12, 20))
    assert face.landmarks is not None
    assert face.landmarks[0] == pytest.approx((6 + 0.5 * 12, 1 + 0.1 * 20))
    assert len(face.landmarks) == 5
    assert face.confidence == pytest.approx(0.9)


def test_of_overlapping_faces_the_surest_remains() -> None:
    heat, sizes, _, _ = maps = blank_maps()
    sizes[:] = np.log(2)
    heat[0, 1, 1], heat[0, 1, 2], heat[0, 4, 6] = 0.6, 0.8, 0.7
    assert sorted(face.confidence or 0 for face in decode_maps(maps)) == pytest.approx([0.7, 0.8])


def test_no_face() -> None:
    assert decode_maps(blank_maps()) == []


def bright_network(path: Path) -> Path:
    """A network of stride 4 with CenterFace's outputs: heat is brightness, faces are 4 x 4 pixels."""
    pool = helper.make_node("AveragePool", ["image"], ["cells"], kernel_shape=[4, 4], strides=[4, 4])
    nodes, weights, outputs = [pool], [], []
    for name, channels, scale in (
        ("heat", 1, 1 / 765),
        ("size", 2, 0.0),
        ("offset", 2, 0.0),
        ("points", 10, 0.0),
    ):
        weights.append(numpy_helper.from_array(np.full((channels, 3, 1, 1), scale, np.float32), f"{name}_w"))
        nodes.append(helper.make_node("Conv", ["cells", f"{name}_w"], [name], kernel_shape=[1, 1]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, None, None]))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, None, None])
    graph = helper.make_graph(nodes, "bright", [image], outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.mark.parametrize("shape", [(40, 70), (64, 96)])
def test_images_of_any_size_are_searched(tmp_path: Path, shape: tuple[int, int]) -> None:
    detect = CenterFace(NoOptions(), bright_network(tmp_path / "centerface.onnx"))
    image = np.zeros((*shape, 3), np.uint8)
    assert detect(image) == []
    image[12:16, 20:24] = 255
    (face,) = detect(image)
    assert face.box == pytest.approx((20, 12, 4, 4), abs=1e-4)
