"""From encoded images to a verdict: decode them, find the face on demand, score it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from attrs import frozen

from fas_core.card import Card
from fas_core.data.image_size import pixel_size
from fas_core.data.images import Pixels, decode_pixels
from fas_core.errors import DataError
from fas_core.runtime import Predictor
from fas_core.runtime.face_selection import NO_FACE
from fas_core.runtime.predictor import NOT_FINITE
from fas_core.scores.rejection import RejectBand
from fas_plugins.commands.serve.limits import RequestError


@frozen
class ModelFacts:
    """What the service tells of the model.

    Args:
        card: the model's card.
        threshold: accepted as live when `score >= threshold`.
        reject: the scores that are uncertain, if any.
        note: what a reader of a verdict must know of the model, if anything.
    """

    card: Card
    threshold: float
    note: str | None
    reject: RejectBand | None = None

    @classmethod
    def of(cls, predictor: Predictor) -> ModelFacts:
        return cls(predictor.card, predictor.threshold, predictor.note, predictor.rule.reject)


class Scorer(Protocol):
    """Scores the images of one face: in this process (`FaceScorer`) or in another (`WorkerPool`)."""

    @property
    def facts(self) -> ModelFacts: ...

    def is_ready(self) -> bool: ...

    def score(self, images: Mapping[str, bytes], detect: bool | None) -> dict[str, Any]: ...


@frozen(eq=False)
class FaceScorer:
    """Scores the encoded images of one face. Threads may share it.

    Args:
        predictor: the model with its threshold; its settings say how faces are cropped.
        max_pixels: larger images are refused.
    """

    predictor: Predictor
    max_pixels: int

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts.of(self.predictor)

    def is_ready(self) -> bool:
        return True

    def warm_up(self) -> None:
        """Build the detector, unless no image is cropped, and score a black image: the first run is slow."""
        if self.predictor.faces.detect is not False:
            _ = self.predictor.faces.detector
        side = self.predictor.card.input.face_size
        black = np.zeros((side, side, 3), np.uint8)
        self.predictor.predict_finite([dict.fromkeys(self.predictor.card.modalities, black)])

    def score(self, images: Mapping[str, bytes], detect: bool | None) -> dict[str, Any]:
        """Score one face.

        Args:
            images: `{photo: content of an image file}`, of the photos that the model takes.
            detect: True for photos: the largest face of the first modality is cropped from all of them.
                False for images that are cropped faces already. None takes images that the face fills as they
                are, and crops others.

        Returns:
            `score`, `verdict`, `reason` (of an uncertain one) and `threshold`; `novelty`, the distance to the
            training data, None where the model does not tell; `box`, the square that was scored, as x, y, w,
            h in pixels of the first image, None for the whole image; the number of `faces` and the `detector`
            that detected them, None without detection; `width` and `height` of the first image, upright.

        Raises:
            RequestError: an image is too large or cannot be decoded, no face is found, or the score is not a
                finite number.
        """
        photos = {
            name: self._decode(name, images[name])
            for name in self.predictor.card.input.photos
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
        return {
            "score": prediction.score,
            "verdict": prediction.verdict,
            "reason": prediction.reason or None,
            "threshold": prediction.threshold,
            "novelty": prediction.novelty_to_json(),
            "box": None if crop.box is None else [round(value, 1) for value in crop.box],
            "faces": selection.detected,
            "detector": selection.detector,
            "width": width,
            "height": height,
        }

    def _decode(self, name: str, data: bytes) -> Pixels:
        if (size := pixel_size(data)) is not None:
            self._check_pixels(name, *size)
        try:
            pixels = decode_pixels(data, Path(name))
        except DataError as error:
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_image", error.message, name) from error
        self._check_pixels(name, pixels.shape[1], pixels.shape[0])  # a header may lie
        return pixels

    def _check_pixels(self, name: str, width: int, height: int) -> None:
        if width * height > self.max_pixels:
            message = f"{name}: {width} x {height} pixels, over the limit of {self.max_pixels}"
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_pixels", message, name)


def build_scorer(max_pixels: int, model: Path, **options: Any) -> FaceScorer:
    """Load a model in a worker; `options` are those of `Predictor`."""
    scorer = FaceScorer(Predictor(model, **options), max_pixels)
    scorer.warm_up()
    return scorer
