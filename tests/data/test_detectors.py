"""Detectors on drawn faces, and on networks that see a face wherever it is bright."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from fixtures.strangers import Here, hooks
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fas_core import DataError, PluginError
from fas_core.data.detectors import FaceDetector, choose_detector, face_detector, require_landmarks
from fas_core.data.faces import largest
from fas_core.records.detected_face import DetectedFace

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
    with pytest.raises(
        DataError, match=r"none\.onnx: no such detector: give cascade, centerface or a yunet model"
    ):
        face_detector(str(tmp_path / "none.onnx"))
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    with pytest.raises(DataError, match=r"bad\.onnx: not a YuNet model that OpenCV can load"):
        face_detector(str(tmp_path / "bad.onnx"))


def test_the_cascade_finds_the_same_face_at_any_resolution(photo_with: PhotoWith) -> None:
    photo = np.asarray(cv2.resize(photo_with((200, 110, 70)), None, fx=2, fy=2))
    boxes = []
    for scale in (1, 1.5, 2, 6):
        copy = np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))
        face = largest(face_detector("cascade")(copy))
        assert face is not None
        boxes.append([value / scale for value in face.box])
    np.testing.assert_allclose(boxes, [boxes[0]] * 4, atol=20)


def test_the_cascade_wants_an_eye_in_a_face(photo_with: PhotoWith) -> None:
    photo = photo_with((200, 110, 70))
    (face,) = face_detector("cascade")(photo)
    x, y, w, h = (round(value) for value in face.box)
    blank = photo.copy()
    blank[y : y + h // 2, x : x + w] = photo[y + h // 2, x + w // 2]
    assert face_detector("cascade")(blank) == []


@pytest.mark.parametrize("shape", [(960, 1280), (2880, 3840)])
def test_a_large_photo_is_searched_at_480_pixels_and_the_result_scaled_back(shape: tuple[int, int]) -> None:
    shapes = []

    def search(image: Image) -> list[DetectedFace]:
        shapes.append(image.shape[:2])
        return [DetectedFace((10, 20, 30, 40), ((12, 24),) * 5, 0.9)]

    (face,) = FaceDetector("fake", search)(np.zeros((*shape, 3), np.uint8))
    scale = shape[0] / 480
    assert shapes == [(480, 640)]
    assert face.box == pytest.approx([scale * value for value in (10, 20, 30, 40)])
    assert face.landmarks is not None
    assert face.landmarks[0] == pytest.approx((12 * scale, 24 * scale))


def test_further_scales_and_last_a_frame_are_tried_where_nothing_was_found() -> None:
    shapes = []

    def search(image: Image) -> list[DetectedFace]:
        shapes.append(image.shape[:2])
        padded = len(shapes) == 5
        return [DetectedFace((120, 120, 240, 240)), DetectedFace((0, 0, 9, 9))] if padded else []

    faces = FaceDetector("fake", search)(np.zeros((480, 480, 3), np.uint8))
    assert shapes == [(480, 480), (640, 640), (320, 320), (960, 960), (480, 480)]
    assert [face.box for face in faces] == [(0, 0, 480, 480)]  # the other one lies in the frame


def test_a_small_image_is_enlarged_twice_at_most() -> None:
    shapes = []
    FaceDetector("fake", lambda image: shapes.append(image.shape[:2]) or [])(
        np.zeros((100, 100, 3), np.uint8)
    )
    assert shapes == [(100, 100), (200, 200)]


def test_centerface_is_the_default_once_it_was_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAS_MODELS_DIR", str(tmp_path))
    assert face_detector().name == "cascade"
    with pytest.raises(DataError, match="fetch it by `fas models get centerface`"):
        face_detector("centerface")
    (tmp_path / "centerface.onnx").write_bytes(b"nonsense")
    with pytest.raises(DataError, match="not centerface as it was fetched, or damaged"):
        face_detector()
    assert face_detector("cascade").name == "cascade"


def test_aligned_crops_need_landmarks() -> None:
    with pytest.raises(DataError, match="cascade finds no landmarks"):
        require_landmarks(face_detector("cascade"))


BRIGHT = """
import numpy as np
class Bright:
    def __init__(self, options, model):
        self.model = model
    def __call__(self, image):
        return [DetectedFace((1.0, 2.0, 3.0, 4.0))]
"""


def install(here: Here, distribution: str, code: str = BRIGHT, **fields: object) -> None:
    further = "".join(f", {key}={value!r}" for key, value in fields.items())
    module = distribution.replace("-", "_")
    detector = f'Detector(name="bright", summary="", target="{module}:Bright", landmarks=False{further})'
    here.install(distribution, hooks(detectors=detector) + code)


def test_a_plugins_detector_is_chosen_by_its_name_and_never_by_default(here: Here) -> None:
    install(here, "bk-x")
    assert face_detector().name == "cascade"
    for name in ("bright", "bk-x:bright"):
        detector = face_detector(name)
        assert (detector.name, detector.has_landmarks) == ("bright", False)
        assert [face.box for face in detector(np.zeros((480, 480, 3), np.uint8))] == [(1.0, 2.0, 3.0, 4.0)]
    with pytest.raises(DataError, match=r"the detector bright takes no model file: leave net\.bin out"):
        face_detector("bright:net.bin")
    with pytest.raises(DataError, match="give bright, cascade, centerface or a yunet model"):
        face_detector("dark")


def test_a_plugins_detector_takes_a_file_by_its_suffix_or_after_its_name(here: Here, tmp_path: Path) -> None:
    install(here, "bk-x", suffixes=(".bin", ".onnx"))
    for name in ("net.bin", "net.onnx"):
        (tmp_path / name).write_bytes(b"anything")
    choices = {
        "net.bin": choose_detector(str(tmp_path / "net.bin")),
        "net.onnx": choose_detector(f"bright:{tmp_path / 'net.onnx'}"),
    }
    for name, choice in choices.items():
        assert (choice.component.name, choice.model) == ("bright", tmp_path / name)
        assert choice.version == hashlib.sha256(b"anything").hexdigest()
        choice.build()
    # A file alone that fas-core's own detector takes, too, stays its own.
    assert choose_detector(str(tmp_path / "net.onnx")).component.name == "yunet"
    with pytest.raises(DataError, match=r"the detector bright needs a model: give bright:FILE"):
        face_detector("bright")
    with pytest.raises(DataError, match=r"none\.bin: no such file, given as the model"):
        face_detector(f"bright:{tmp_path / 'none.bin'}")
    install(here, "bk-y", suffixes=(".bin",))
    with pytest.raises(PluginError, match=r"several detectors take such files: say which, bk-x:bright:"):
        face_detector(str(tmp_path / "net.bin"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("self.model = model", "1 / 0"), "detector 'bright' of bk-x 1.5 failed: ZeroDivisionError"),
        (("return [D", "return image.faces[D"), "detector 'bright' of bk-x 1.5 failed: AttributeError"),
        (("DetectedFace((1.0, 2.0, 3.0, 4.0))", "(1, 2, 3, 4)"), "it must give DetectedFace records"),
    ],
)
def test_a_plugins_detector_that_fails_is_named(here: Here, change: tuple[str, str], message: str) -> None:
    install(here, "bk-x", BRIGHT.replace(*change))
    with pytest.raises(PluginError) as error:
        face_detector("bright")(np.zeros((480, 480, 3), np.uint8))
    assert message in error.value.message


def test_a_fetched_model_is_checked_whenever_it_is_opened(here: Here, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"as published").hexdigest()
    install(here, "bk-x", fetched="bright-net", sha256=digest)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAS_MODELS_DIR", str(tmp_path))
        with pytest.raises(DataError, match="not at hand: fetch it by `fas models get bright-net`"):
            face_detector("bright")
        (tmp_path / "bright-net.onnx").write_bytes(b"as published")
        assert face_detector("bright").name == "bright"
        (tmp_path / "bright-net.onnx").write_bytes(b"as publishee")
        with pytest.raises(DataError, match=r"bright-net\.onnx: not bright as it was fetched, or damaged: "):
            face_detector("bright")
