"""CenterFace: faces and their five landmarks from one fully convolutional network, run by onnxruntime.

Xu, Yan, Yang, Li, Wu and Ren, "CenterFace: Joint Face Detection and Alignment Using Face as Point"
(arXiv 1911.03599). `fas models get centerface` fetches the network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fas_core.component import NoOptions
from fas_core.data.images import Image
from fas_core.errors import DataError
from fas_core.records.detected_face import DetectedFace

STRIDE = 4
"""Pixels of the image for each cell of the network's maps."""
SIDE_FACTOR = 32
"""The network takes images whose height and width are multiples of this."""
MIN_SCORE = 0.5
"""Smallest value of the heat map that is a face."""
MAX_OVERLAP = 0.3
"""Two boxes whose intersection over union is larger are one face."""

FATAL = 4  # onnxruntime's log level; it also raises what it would log below that

Maps = list[NDArray[np.float32]]
"""Heat map (1, H, W), log height and width (2, H, W), offsets of y and x (2, H, W), and landmarks (10, H, W)
as y, x of five points, in fractions of the box from its top left corner."""


class CenterFace:
    """The network of an ONNX file. Threads may share it.

    Raises:
        DataError: the file is not CenterFace.
    """

    def __init__(self, options: NoOptions, model: Path) -> None:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = FATAL
        settings.intra_op_num_threads = 1  # photos are processed side by side
        try:
            self._session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no public base
            raise _not_centerface(model) from error
        self._input = self._session.get_inputs()[0].name
        shapes = [output.shape for output in self._session.get_outputs()]
        if [shape[1] for shape in shapes if len(shape) == 4] != [1, 2, 2, 10]:
            raise _not_centerface(model)

    def __call__(self, image: Image) -> list[DetectedFace]:
        """Return the faces of an image (H, W, 3) RGB, of any size."""
        height, width = (-(-side // SIDE_FACTOR) * SIDE_FACTOR for side in image.shape[:2])
        padded = np.zeros((height, width, 3), np.float32)
        padded[: image.shape[0], : image.shape[1]] = image
        maps = self._session.run(None, {self._input: padded.transpose(2, 0, 1)[None]})
        return decode_maps([values[0] for values in maps])


def decode_maps(maps: Maps) -> list[DetectedFace]:
    """Return the faces of the network's maps, boxes and landmarks in pixels of its input.

    A cell whose heat is at least `MIN_SCORE` is the centre of a face (section 3 of the paper); of faces that
    overlap the one with the highest value remains.
    """
    heat, sizes, offsets, points = maps
    rows, columns = np.nonzero(heat[0] >= MIN_SCORE)
    h, w = np.exp(sizes[:, rows, columns]) * STRIDE
    dy, dx = offsets[:, rows, columns]
    left, top = (columns + dx + 0.5) * STRIDE - w / 2, (rows + dy + 0.5) * STRIDE - h / 2
    x, y = left + points[1::2, rows, columns] * w, top + points[0::2, rows, columns] * h  # (5, faces)
    boxes, scores = np.stack([left, top, w, h], axis=1), heat[0, rows, columns]
    selected: Any = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), MIN_SCORE, MAX_OVERLAP)
    return [
        DetectedFace(
            box=(float(left[i]), float(top[i]), float(w[i]), float(h[i])),
            landmarks=tuple((float(x[j, i]), float(y[j, i])) for j in range(5)),
            confidence=float(scores[i]),
        )
        for i in selected
    ]


def _not_centerface(path: Path) -> DataError:
    return DataError(f"{path}: not CenterFace, or damaged: `fas models get centerface` fetches it again")
