"""Face detection in photos: OpenCV's bundled frontal cascade, or a YuNet model file.

Viola and Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features" (CVPR 2001);
Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research, 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import local
from typing import Any

import cv2
from attrs import field, frozen
from attrs import validators as v

from fas_core.data.images import Box, Image, Pixels, crop, resize_square, scale_box
from fas_core.errors import DataError

Detector = Callable[[Image], list[Box]]
"""(H, W, 3) RGB -> boxes of faces, in no particular order."""

MIN_FACE = 8
"""The cascade searches faces down to 1/8 of the photo's shorter side."""
MIN_SCORE = 0.6
"""Of YuNet's detections."""


@frozen
class CropSettings:
    """How faces are cropped.

    Args:
        detector: a YuNet model file; None for OpenCV's cascade.
        margin: added on each side of the face, as a fraction of its longer side.
        size: side of the crop in pixels.
    """

    detector: Path | None = None
    margin: float = field(default=0.1, validator=[v.ge(0), v.le(3)])
    size: int = field(default=256, validator=[v.ge(16), v.le(4096)])


def face_detector(model: Path | None = None) -> Detector:
    """Build a detector that threads may share: OpenCV's cascade, or the YuNet model of an `.onnx` file.

    Raises:
        DataError: the file is missing or not a YuNet model.
    """
    if model is not None and not model.is_file():
        raise DataError(f"{model}: no such detector: give a YuNet .onnx file")
    return _build_cascade() if model is None else _build_yunet(model)


def _build_cascade() -> Detector:
    """Build a detector of upright frontal faces from the `alt2` cascade that OpenCV 4 ships."""
    # Of 900 photos of the NUAA database it missed 2, the `default` cascade 15, 13 of them in dim light.
    path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_alt2.xml"
    load = _once_per_thread(lambda: cv2.CascadeClassifier(str(path)))

    def detect(image: Image) -> list[Box]:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        side = max(min(grey.shape) // MIN_FACE, 24)
        return [_to_box(face) for face in load().detectMultiScale(grey, 1.1, 3, minSize=(side, side))]

    return detect


def _build_yunet(model: Path) -> Detector:
    """Build a detector of faces in any pose from a YuNet model."""

    def open_model() -> Any:
        try:
            return cv2.FaceDetectorYN.create(str(model), "", (320, 320), score_threshold=MIN_SCORE)
        except cv2.error as error:
            raise DataError(f"{model}: not a YuNet model that OpenCV can load") from error

    load = _once_per_thread(open_model)

    def detect(image: Image) -> list[Box]:
        load().setInputSize((image.shape[1], image.shape[0]))
        try:
            _, faces = load().detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        except cv2.error as error:
            raise DataError(f"{model}: not a YuNet model: {error.err}") from error
        return [] if faces is None else [_to_box(face) for face in faces]

    load()  # a bad file is refused before the work starts
    return detect


def _once_per_thread(build: Callable[[], Any]) -> Callable[[], Any]:
    """Cache what `build` returns for each thread: OpenCV's detectors keep state."""
    thread = local()

    def load() -> Any:
        if not hasattr(thread, "value"):
            thread.value = build()
        return thread.value

    return load


def _to_box(values: Any) -> Box:
    x, y, w, h = (float(value) for value in values[:4])
    return x, y, w, h


def largest(faces: list[Box]) -> Box | None:
    """Return the largest box: the person in front of the camera."""
    return max(faces, key=lambda box: box[2] * box[3], default=None)


def square_around(face: Box, margin: float, shape: tuple[int, ...]) -> Box:
    """Return a square around a face, inside an image of `shape` (H, W, ...).

    `margin` is added on each side, as a fraction of the face's longer side. A square over the edge is moved
    inside rather than padded: padding would differ between photos taken from near and far, which a model
    would learn. A square larger than the image is shrunk to it.
    """
    height, width = shape[:2]
    x, y, w, h = face
    side = min(max(w, h) * (1 + 2 * margin), height, width)
    left = min(max(x + (w - side) / 2, 0), width - side)
    top = min(max(y + (h - side) / 2, 0), height - side)
    return left, top, side, side


def crop_face(
    photos: Mapping[str, Pixels], face: Box, settings: CropSettings
) -> tuple[Box, dict[str, Image]]:
    """Return a square around a face and its crops `{modality: (size, size, 3)}` from photos of one scene.

    Face and square are in pixels of the first photo; the sizes (H, W, 3) of the photos may differ.
    """
    first = next(iter(photos.values())).shape
    square = square_around(face, settings.margin, first)
    crops = {name: crop(photo, scale_box(square, first, photo.shape)) for name, photo in photos.items()}
    return square, {name: resize_square(image, settings.size) for name, image in crops.items()}
