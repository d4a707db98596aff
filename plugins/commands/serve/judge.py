"""What is said of encoded images: decoded, the face found where that is asked for, scored."""

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
from fas_plugins.commands.serve.limits import Refusal


@frozen
class Verdict:
    """What is said of one face.

    Args:
        prediction: score, threshold, live or attack.
        box: what was scored: x, y, w, h in pixels of the first image; None for all of it.
        faces: how many were found; None when none were looked for.
        width, height: of the first image, turned upright, in pixels.
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
class Judge:
    """Scores the encoded images of one face. Threads may share it.

    Args:
        predictor: the model.
        crops: how faces are found and cut out.
        max_pixels: larger images are refused.
    """

    predictor: Predictor
    crops: CropSettings
    max_pixels: int
    _detect: Detector = field(init=False)

    @_detect.default
    def _detector(self) -> Detector:
        return face_detector(self.crops.detector)

    def __call__(self, images: Mapping[str, bytes], detect: bool) -> Verdict:
        """The verdict on one face.

        Args:
            images: `{modality: content of an image file}`, those that the model takes.
            detect: whether the images are photos in which the face is found first, the largest one, in the
                first modality; else they are faces already.

        Raises:
            Refusal: an image cannot be used, or there is no face.
        """
        photos = {
            name: self._decoded(name, images[name])
            for name in self.predictor.card.modalities
            if name in images
        }
        height, width = next(iter(photos.values())).shape[:2]
        box, count, pieces = self._found(photos) if detect else (None, None, photos)
        (prediction,) = self.predictor.predict([self.predictor.prepare(pieces)])
        return Verdict(prediction, box, count, width, height)

    def _decoded(self, name: str, data: bytes) -> Image:
        size = pixel_size(data)
        if size is not None and size[0] * size[1] > self.max_pixels:
            message = f"{name}: {size[0]} x {size[1]} pixels, more than the {self.max_pixels} that are taken"
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_pixels", message, name)
        try:
            return decode(data, Path(name))
        except DataError as error:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_image", error.message, name) from error

    def _found(self, photos: Mapping[str, Image]) -> tuple[Box, int, dict[str, Image]]:
        name, photo = next(iter(photos.items()))
        faces = self._detect(photo)
        face = largest(faces)
        if face is None:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "no_face", f"{name}: no face found", name)
        box, pieces = crop_face(photos, face, self.crops)
        return box, len(faces), pieces
