"""Faces in any pose, by a YuNet model that OpenCV runs.

Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research, 2023).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2

from fas_core.component import NoOptions
from fas_core.data.images import Image
from fas_core.errors import DataError
from fas_core.records.detected_face import DetectedFace
from fas_plugins.detectors.once_per_thread import once_per_thread

MIN_SCORE = 0.6


class YuNet:
    """The network of an ONNX file. Threads may share it.

    Raises:
        DataError: the file is not a YuNet model; of some files this shows when an image is searched.
    """

    def __init__(self, options: NoOptions, model: Path) -> None:
        self._path = model
        self._load = once_per_thread(self._open)
        self._load()  # a bad file is refused before the work starts

    def __call__(self, image: Image) -> list[DetectedFace]:
        """Return the faces of an image (H, W, 3) RGB, of any size."""
        network = self._load()
        network.setInputSize((image.shape[1], image.shape[0]))
        try:
            _, rows = network.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        except cv2.error as error:
            raise DataError(f"{self._path}: not a YuNet model: {error.err}") from error
        return [] if rows is None else [_to_face(row) for row in rows]

    def _open(self) -> Any:
        try:
            return cv2.FaceDetectorYN.create(str(self._path), "", (320, 320), score_threshold=MIN_SCORE)
        except cv2.error as error:
            raise DataError(f"{self._path}: not a YuNet model that OpenCV can load") from error


def _to_face(row: Any) -> DetectedFace:
    """Convert a row of 15 numbers: box, five landmarks in the order of `DetectedFace`, confidence."""
    x, y, w, h = map(float, row[:4])
    points = tuple((float(row[i]), float(row[i + 1])) for i in range(4, 14, 2))
    return DetectedFace((x, y, w, h), points, float(row[14]))
