from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fas_core import DataError
from fas_core.data.detectors import face_detector
from fas_core.data.faces import CropSettings, DetectedFace, crop_face, largest, square_around

Image = NDArray[np.uint8]
PhotoWith = Callable[..., Image]


def test_the_cascade_finds_a_face(photo_with: PhotoWith) -> None:
    [face] = face_detector()(photo_with((200, 110, 70)))
    x, y, w, h = face.box
    assert abs(x + w / 2 - 200) < 12
    assert abs(y + h / 2 - 110) < 20
    assert 90 < w < 160
    assert face_detector()(photo_with()) == []


def test_threads_may_share_a_detector(photo_with: PhotoWith) -> None:
    detect, photo = face_detector(), photo_with((200, 110, 70))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(detect, [photo] * 8))
    assert all(faces == found[0] for faces in found)


def test_the_largest_face_is_the_one() -> None:
    boxes = [(0, 0, 10, 10), (5, 5, 30, 20), (0, 0, 20, 20)]
    assert largest([DetectedFace(box) for box in boxes]) == DetectedFace(boxes[1])
    assert largest([]) is None


def test_a_square_around_a_face() -> None:
    assert square_around((40, 50, 20, 30), 0.5, (200, 200, 3)) == (20, 35, 60, 60)


@pytest.mark.parametrize(
    ("face", "expected"),
    [
        ((0, 0, 20, 20), (0, 0, 40, 40)),
        ((90, 85, 20, 20), (60, 60, 40, 40)),
        ((30, 30, 90, 90), (0, 0, 100, 100)),
    ],
)
def test_a_square_over_the_edge_is_moved_inside_or_cut_down(
    face: tuple[float, ...], expected: tuple[float, ...]
) -> None:
    assert square_around(face, 0.5, (100, 100, 3)) == expected  # type: ignore[arg-type]


def test_a_crop_has_the_size_asked_for_in_every_modality(photo_with: PhotoWith) -> None:
    photo = photo_with((200, 110, 70))
    photos, face = {"rgb": photo, "ir": photo[::2, ::2]}, (100, 20, 64, 64)
    square, crops = crop_face(photos, DetectedFace(face), CropSettings(margin=0, size=32))
    assert square == face
    assert {name: crop.shape for name, crop in crops.items()} == {"rgb": (32, 32, 3), "ir": (32, 32, 3)}
    np.testing.assert_array_equal(crops["ir"], photo[20:84:2, 100:164:2])
    _, crops = crop_face(photos, DetectedFace(face), CropSettings(margin=0, size=64))
    np.testing.assert_array_equal(crops["rgb"], photo[20:84, 100:164])


def bright_spot_model(path: Path) -> None:
    """A network with YuNet's outputs that sees a face of 24 x 32 pixels wherever it is bright."""
    nodes, weights, outputs = [], [], []
    for stride in (8, 16, 32):
        pool = helper.make_node(
            "AveragePool", ["input"], [f"p{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2
        )
        nodes.append(pool)
    sizes = [0.5, 0.5, np.log(3), np.log(4)]
    kinds = {"cls": (1 / 765, [0.0]), "obj": (1 / 765, [0.0]), "bbox": (0.0, sizes), "kps": (0.0, [0.0] * 10)}
    for kind, (weight, bias) in kinds.items():
        for stride in (8, 16, 32):
            name, channels = f"{kind}_{stride}", len(bias)
            # Only the finest of the three scales sees anything.
            scale = weight if stride == 8 else 0.0
            weights += [
                numpy_helper.from_array(np.full((channels, 3, 1, 1), scale, np.float32), f"{name}_w"),
                numpy_helper.from_array(np.asarray(bias, np.float32), f"{name}_b"),
                numpy_helper.from_array(np.array([1, -1, channels]), f"{name}_s"),
            ]
            nodes += [
                helper.make_node(
                    "Conv", [f"p{stride}", f"{name}_w", f"{name}_b"], [f"{name}_c"], kernel_shape=[1, 1]
                ),
                helper.make_node("Transpose", [f"{name}_c"], [f"{name}_t"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{name}_t", f"{name}_s"], [name]),
            ]
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, channels]))
    images = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 640, 640])
    graph = helper.make_graph(nodes, "spots", [images], outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8), path)


def test_a_yunet_model_finds_faces_in_photos_of_any_size(tmp_path: Path) -> None:
    bright_spot_model(tmp_path / "yunet.onnx")
    detect = face_detector(str(tmp_path / "yunet.onnx"))
    for height, width in ((240, 320), (100, 90)):
        photo = np.zeros((height, width, 3), np.uint8)
        assert detect(photo) == []
        photo[48:56, 64:72] = 255
        (face,) = detect(photo)
        assert face.box == pytest.approx((68 - 12, 52 - 16, 24, 32), abs=0.1)


def test_a_detector_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.onnx: no such detector: give centerface, cascade or a YuNet"):
        face_detector(str(tmp_path / "none.onnx"))
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    with pytest.raises(DataError, match=r"bad\.onnx: not a YuNet model that OpenCV can load"):
        face_detector(str(tmp_path / "bad.onnx"))
