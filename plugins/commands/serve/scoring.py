"""From encoded images to a verdict: decode them, find the face on demand, score it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from attrs import field, frozen

from fas_core.data.faces import CropSettings, Detector, crop_face, face_detector, largest
from fas_core.data.image_size import pixel_size
from fas_core.data.images import Box, Image, decode
from fas_core.errors import DataError
from fas_core.runtime import Prediction, Predictor
from fas_plugins.commands.serve.limits import RequestError


@frozen
class Verdict:
    """The score of one face, and where the face is.

    Args:
        prediction: score, threshold, live or attack.
        box: the square that was scored: x, y, w, h in pixels of the first image; None for the whole image.
        faces: number of detected faces; None without detection.
        width: of the first image turned upright, in pixels.
        height: of the first image turned upright, in pixels.
    """

    prediction: Prediction
    box: Box | None
    faces: int | None
    width: int
    height: int

    def to_json(self) -> dict[str, Any]:
        return {
            "score": self.prediction.score,
            "verdict": self.prediction.verdict,
            "threshold": self.prediction.threshold,
            "box": None if self.box is None else [round(value, 1) for value in self.box],
            "faces": self.faces,
            "width": self.width,
            "height": self.height,
        }


@frozen(eq=False)
class FaceScorer:
    """Scores the encoded images of one face. Threads may share it.

    Args:
        predictor: the model with its threshold.
        crops: how faces are detected and cropped.
        max_pixels: larger images are refused.
    """

    predictor: Predictor
    crops: CropSettings
    max_pixels: int
    _detect: Detector = field(init=False)

    @_detect.default
    def _load_detector(self) -> Detector:
        return face_detector(self.crops.detector)

    def score(self, images: Mapping[str, bytes], detect: bool) -> Verdict:
        """Score one face.

        Args:
            images: `{modality: content of an image file}`, for modalities of the model.
            detect: True for photos: the largest face of the first modality is cropped from all of them.
                False for images that are cropped faces already.

        Raises:
            RequestError: an image is too large or cannot be decoded, or no face is found.
        """
        photos = {
            name: self._decode(name, images[name])
            for name in self.predictor.card.modalities
            if name in images
        }
        height, width = next(iter(photos.values())).shape[:2]
        box, count, faces = self._crop_face(photos) if detect else (None, None, photos)
        (prediction,) = self.predictor.predict([self.predictor.prepare(faces)])
        return Verdict(prediction, box, count, width, height)

    def _decode(self, name: str, data: bytes) -> Image:
        size = pixel_size(data)
        if size is not None and size[0] * size[1] > self.max_pixels:
            message = f"{name}: {size[0]} x {size[1]} pixels, over the limit of {self.max_pixels}"
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_pixels", message, name)
        try:
            return decode(data, Path(name))
        except DataError as error:
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_image", error.message, name) from error

    def _crop_face(self, photos: Mapping[str, Image]) -> tuple[Box, int, dict[str, Image]]:
        """Return the box of the largest face, the number of detected faces, and the crops."""
        name, photo = next(iter(photos.items()))
        boxes = self._detect(photo)
        face = largest(boxes)
        if face is None:
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "no_face", f"{name}: no face found", name)
        box, crops = crop_face(photos, face, self.crops)
        return box, len(boxes), crops
