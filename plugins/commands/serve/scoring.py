"""From encoded images to a verdict: decode them, find the face on demand, score it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.data.image_size import pixel_size
from fas_core.data.images import Box, Pixels, decode_pixels
from fas_core.errors import DataError
from fas_core.runtime import Prediction, Predictor
from fas_core.runtime.face_selection import NO_FACE
from fas_core.runtime.predictor import NOT_FINITE
from fas_plugins.commands.serve.limits import RequestError


@frozen
class Verdict:
    """The score of one face, and where the face is.

    Args:
        prediction: score, threshold, live or attack.
        box: the square that was scored: x, y, w, h in pixels of the first image; None for the whole image.
        faces: number of detected faces; None without detection.
        detector: name of the face detector; None without detection.
        width: of the first image turned upright, in pixels.
        height: of the first image turned upright, in pixels.
    """

    prediction: Prediction
    box: Box | None
    faces: int | None
    detector: str | None
    width: int
    height: int

    def to_json(self) -> dict[str, Any]:
        return {
            "score": self.prediction.score,
            "verdict": self.prediction.verdict,
            "threshold": self.prediction.threshold,
            "box": None if self.box is None else [round(value, 1) for value in self.box],
            "faces": self.faces,
            "detector": self.detector,
            "width": self.width,
            "height": self.height,
        }


@frozen(eq=False)
class FaceScorer:
    """Scores the encoded images of one face. Threads may share it.

    Args:
        predictor: the model with its threshold; its settings say how faces are cropped.
        max_pixels: larger images are refused.
    """

    predictor: Predictor
    max_pixels: int

    def score(self, images: Mapping[str, bytes], detect: bool | None) -> Verdict:
        """Score one face.

        Args:
            images: `{modality: content of an image file}`, for modalities of the model.
            detect: True for photos: the largest face of the first modality is cropped from all of them.
                False for images that are cropped faces already. None takes images that the face fills as they
                are, and crops others.

        Raises:
            RequestError: an image is too large or cannot be decoded, no face is found, or the score is not a
                finite number.
        """
        photos = {
            name: self._decode(name, images[name])
            for name in self.predictor.card.modalities
            if name in images
        }
        height, width = next(iter(photos.values())).shape[:2]
        selection = self.predictor.faces.select(photos, detect=detect)
        if not selection.crops:
            name = next(iter(photos))
            message = f"{name}: {NO_FACE}; detect=false is for images that are cropped to the face"
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "no_face", message, name)
        (crop,) = selection.crops
        (prediction,) = self.predictor.predict_finite([self.predictor.prepare(crop.images)])
        if prediction is None:
            raise RequestError(HTTPStatus.INTERNAL_SERVER_ERROR, "score_not_finite", NOT_FINITE)
        return Verdict(prediction, crop.box, selection.detected, selection.detector, width, height)

    def _decode(self, name: str, data: bytes) -> Pixels:
        size = pixel_size(data)
        if size is not None and size[0] * size[1] > self.max_pixels:
            message = f"{name}: {size[0]} x {size[1]} pixels, over the limit of {self.max_pixels}"
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_pixels", message, name)
        try:
            return decode_pixels(data, Path(name))
        except DataError as error:
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_image", error.message, name) from error
