"""Face detectors: CenterFace where it was fetched, else OpenCV's bundled cascades; or a YuNet model file.

Each searches copies of a photo of a few fixed sizes, so that the result does not depend on its resolution.
Viola and Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features" (CVPR 2001);
Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research, 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import local
from typing import Any

import cv2
import numpy as np
from attrs import evolve, frozen

from fas_core.data.centerface import CenterFace
from fas_core.data.faces import DetectedFace, is_centre_in
from fas_core.data.fetched_models import fetched_model
from fas_core.data.images import Box, Image
from fas_core.errors import DataError

CASCADE, CENTERFACE, YUNET = "cascade", "centerface", "yunet"
"""Names of the detectors."""
DETECTOR_NAMES = (CENTERFACE, CASCADE)
"""Detectors that are chosen by name; YuNet is chosen by its file."""

BETTER_DETECTOR = (
    "faces are detected by OpenCV's cascade, which misses some: `fas models get centerface` fetches a better "
    "detector"
)

SIDES = (480, 640, 320, 960)
"""Shorter sides in pixels of the copies that are searched in turn, until one has a face."""
MAX_ENLARGEMENT = 2.0
"""A photo is not enlarged more than this: it has no further detail."""
PADDED_SIDE, PADDING = 240, 0.5
"""Shorter side of the last copy, and the width of the grey frame around it as a fraction of its sides: a crop
that a face fills from edge to edge has no background, which detectors need."""

MIN_FACE = 8
"""The cascade searches faces down to 1/8 of the photo's shorter side."""
MIN_EYE_REGION = 160
"""Smaller faces are enlarged to this width to find an eye, which must have 20 pixels."""
MIN_YUNET_SCORE = 0.6


@frozen(eq=False)
class FaceDetector:
    """Finds the faces of a photo of any size. Threads may share it.

    Args:
        name: stored beside results.
        search: finds faces in an image of moderate size.
        has_landmarks: whether it finds landmarks too.
    """

    name: str
    search: Callable[[Image], list[DetectedFace]]
    has_landmarks: bool = True

    def __call__(self, photo: Image) -> list[DetectedFace]:
        """Return the faces of an image (H, W, 3) RGB, in its pixels, in no particular order.

        A copy whose shorter side is 480 pixels (or the photo, if it is smaller) is searched first; where it
        has no face the copies of the further `SIDES`; last a copy with a grey frame around it.
        """
        shorter = min(photo.shape[:2])
        scales = [min(SIDES[0] / shorter, 1.0)]
        scales += [side / shorter for side in SIDES[1:] if side / shorter <= MAX_ENLARGEMENT]
        for scale in dict.fromkeys(scales):
            if faces := self.search(_resize(photo, scale)):
                return [_move(face, 1 / scale) for face in faces]
        return self._search_padded(photo, min(PADDED_SIDE / shorter, 1.0))

    def _search_padded(self, photo: Image, scale: float) -> list[DetectedFace]:
        """Return the faces whose centre is in the photo, from a copy with a grey frame around it."""
        copy = _resize(photo, scale)
        rows, columns = (round(side * PADDING) for side in copy.shape[:2])
        frame = (rows, rows, columns, columns)
        padded = cv2.copyMakeBorder(copy, *frame, cv2.BORDER_CONSTANT, value=(127, 127, 127))
        faces = (_move(face, 1 / scale, -columns, -rows) for face in self.search(np.asarray(padded)))
        area = (0.0, 0.0, float(photo.shape[1]), float(photo.shape[0]))
        return [face for face in faces if is_centre_in(face.box, area)]


def face_detector(choice: str | None = None) -> FaceDetector:
    """Build a detector.

    Args:
        choice: `centerface`, `cascade` or the path of a YuNet `.onnx` file; None for CenterFace where it was
            fetched, else the cascade.

    Raises:
        DataError: CenterFace was not fetched, or the file is missing or not a YuNet model.
    """
    centerface = fetched_model(CENTERFACE)
    if choice == CASCADE or (choice is None and not centerface.is_file()):
        return FaceDetector(CASCADE, _build_cascade(), has_landmarks=False)
    if choice in (None, CENTERFACE):
        if not centerface.is_file():
            raise DataError("the detector centerface is not at hand: fetch it by `fas models get centerface`")
        return FaceDetector(CENTERFACE, CenterFace(centerface))
    path = Path(choice)
    if not path.is_file():
        names = ", ".join(DETECTOR_NAMES)
        raise DataError(f"{choice}: no such detector: give {names} or a YuNet .onnx file")
    return FaceDetector(YUNET, _build_yunet(path))


def require_landmarks(detector: FaceDetector) -> None:
    """Raise DataError if a detector finds no landmarks."""
    if not detector.has_landmarks:
        raise DataError(
            f"{detector.name} finds no landmarks, which aligned crops need: "
            "`fas models get centerface` fetches a detector that does"
        )


def _build_cascade() -> Callable[[Image], list[DetectedFace]]:
    """Build a detector of upright frontal faces from the cascades that OpenCV 4 ships."""
    # Of 900 photos of NUAA `frontalface_alt2` missed 2, `frontalface_default` 15, 13 of them in dim light.
    folder = Path(cv2.__file__).parent / "data"
    names = ("frontalface_alt2", "eye", "eye_tree_eyeglasses")

    def load_cascades() -> list[Any]:
        return [cv2.CascadeClassifier(str(folder / f"haarcascade_{name}.xml")) for name in names]

    load = _once_per_thread(load_cascades)

    def search(image: Image) -> list[DetectedFace]:
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
        side = max(min(grey.shape) // MIN_FACE, 24)
        face_cascade, *eye_cascades = load()
        faces = face_cascade.detectMultiScale(grey, 1.1, 3, minSize=(side, side))
        return [DetectedFace(box) for box in map(_to_box, faces) if _has_eye(grey, box, eye_cascades)]

    return search


def _has_eye(grey: Any, box: Box, eye_cascades: Sequence[Any]) -> bool:
    """Whether one of the other cascades finds an eye in the upper part of a box: walls and hair have none."""
    x, y, w, h = (round(value) for value in box)
    upper = grey[max(y, 0) : y + round(0.6 * h), max(x, 0) : x + w]
    scale = max(MIN_EYE_REGION / w, 1)
    upper = cv2.resize(upper, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    low, high = round(w * scale / 8), round(w * scale / 2)
    sizes = {"minSize": (low, low), "maxSize": (high, high)}
    return any(len(cascade.detectMultiScale(upper, 1.1, 3, **sizes)) > 0 for cascade in eye_cascades)


def _build_yunet(model: Path) -> Callable[[Image], list[DetectedFace]]:
    """Build a detector of faces in any pose from a YuNet model."""

    def open_model() -> Any:
        try:
            return cv2.FaceDetectorYN.create(str(model), "", (320, 320), score_threshold=MIN_YUNET_SCORE)
        except cv2.error as error:
            raise DataError(f"{model}: not a YuNet model that OpenCV can load") from error

    load = _once_per_thread(open_model)

    def search(image: Image) -> list[DetectedFace]:
        load().setInputSize((image.shape[1], image.shape[0]))
        try:
            _, rows = load().detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        except cv2.error as error:
            raise DataError(f"{model}: not a YuNet model: {error.err}") from error
        return [] if rows is None else [_from_yunet(row) for row in rows]

    load()  # a bad file is refused before the work starts
    return search


def _from_yunet(row: Any) -> DetectedFace:
    """Convert a row of 15 numbers: box, five landmarks in the order of `DetectedFace`, confidence."""
    points = tuple((float(row[i]), float(row[i + 1])) for i in range(4, 14, 2))
    return DetectedFace(_to_box(row), points, float(row[14]))


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


def _resize(photo: Image, scale: float) -> Image:
    if scale == 1:
        return photo
    size = (max(round(photo.shape[1] * scale), 1), max(round(photo.shape[0] * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(photo, size, interpolation=method))


def _move(face: DetectedFace, scale: float, dx: float = 0, dy: float = 0) -> DetectedFace:
    """Move a face by (dx, dy) pixels, then scale its coordinates."""
    x, y, w, h = face.box
    points = face.landmarks and tuple(((px + dx) * scale, (py + dy) * scale) for px, py in face.landmarks)
    return evolve(face, box=((x + dx) * scale, (y + dy) * scale, w * scale, h * scale), landmarks=points)
