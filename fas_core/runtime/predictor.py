"""Live or attack: an exported model with the resizing before it and the threshold after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fas_core.card import Card
from fas_core.data.faces import CropSettings, is_face_crop
from fas_core.data.images import Image, Pixels, as_pixels, prepare, read_pixels, to_uint8
from fas_core.data.scaled_crops import stretch
from fas_core.deprecation import former_method
from fas_core.errors import DataError, ModelError
from fas_core.runtime.face_selection import NO_FACE, FaceSelector, stated_crops
from fas_core.runtime.model_file import ModelFile, Presence
from fas_core.runtime.model_notes import describe_training
from fas_core.runtime.prediction import Prediction
from fas_core.scores.rejection import fit_reject
from fas_core.scores.thresholds import Threshold
from fas_core.urls import Location, Url, to_location

if TYPE_CHECKING:
    from fas_core.contracts import Images
    from fas_core.runtime.external_model import ExternalModel

FaceImage = str | Location | NDArray[np.uint8] | NDArray[np.uint16]
"""A photo or a cropped face of any size: a file, or pixels as (H, W, 3) RGB, also (H, W) grey or depth."""

FaceImages = Sequence[FaceImage | None] | NDArray[np.uint8] | NDArray[np.uint16]
"""Many faces, None where one is missing; or an array of all, (B, H, W, 3)."""

Face = Mapping[str, Image]
"""A face as the model takes it: `{modality: uint8 (S, S, 3)}`, S being the card's face size."""

BATCH_SIZE = 32

FAR = 1e9
"""The novelty of a face whose distance is not a finite number."""

UINT8 = np.dtype(np.uint8)

NOT_FINITE = "the model's score is not a finite number"


class OpenModel(Protocol):
    """A scorer with the card of a model file, e.g. a run's model, and the device that it runs on."""

    path: Path
    card: Card
    device: str

    def __call__(self, images: Images, presence: Presence = None) -> NDArray[np.float64]: ...
    def score_with_novelty(
        self, images: Images, presence: Presence = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...


class Predictor:
    """Tells live faces from attacks with a model that `fas export` wrote. Threads may share one.

    A photo is cropped to its largest face, as the model's card says where it states its crops; for other
    models an image that its face fills is taken as it is, as docs/predict.md says. Faces are resized as the
    card says, as they were when its threshold was fitted.

    Args:
        path: a file that a runtime opens, such as `.onnx`; or an open model.
        threads: CPU threads of one call of a file; None for one per core.
        threshold: instead of the model's own; a face is accepted as live when its score is at least this.
        reject: `LOW:HIGH`, the scores that are uncertain, or `none`, instead of the model's own.
        external: description of a model that `fas export` did not write.
        detect: True to crop every photo to its face; False to take all images as they are.
        crops: how faces are detected and cropped; None for the external model's or the usual settings.
        detector: face detector instead of that of the crops, as for `fas predict --detector`.
        device: where a file runs, or several in the order to try: `cuda,cpu`; None for the CPU.

    Raises:
        DataError: there is no such detector.
        ModelError: the file is missing, damaged or of an unknown model, or there is no threshold.
        DeviceError: no such device is here.
        ConfigError: `reject` is no such text, or its scores are not around the threshold.

    Example:
        >>> predictor = Predictor("model.onnx")  # doctest: +SKIP
        >>> predictor(rgb="face.jpg")  # doctest: +SKIP
        Prediction(score=0.98, threshold=0.41, live=True)
    """

    def __init__(
        self,
        path: Path | str | OpenModel,
        *,
        threads: int | None = None,
        threshold: float | Threshold | None = None,
        reject: str | None = None,
        external: ExternalModel | None = None,
        detect: bool | None = None,
        crops: CropSettings | None = None,
        detector: str | None = None,
        device: str | None = None,
    ) -> None:
        if isinstance(path, (str, Path)):
            path = ModelFile(path, threads, external, device=device)
        self.model: OpenModel = path
        self.card: Card = self.model.card
        self.rule = _choose_threshold(self.model, threshold, reject)
        """The threshold with its origin, and the band of uncertain scores around it."""
        crops = (crops or stated_crops(self.model.path, external)).replace(detector=detector)
        self.faces = FaceSelector(detect, crops, self.card.input)
        takes = self.card.input
        self._photos, self._modalities = takes.photos, frozenset(takes.modalities)
        self._face_shape = (takes.face_size, takes.face_size, 3)
        is_whole = takes.resize.crop == 1 or bool(takes.crops)
        self._takes_faces = detect is False and is_whole and takes.photos == takes.modalities
        """Whether images of the model's size are faces as they are."""
        needs_all = self.card.novelty is None and not takes.partial
        self._score_face = path.score_face if isinstance(path, ModelFile) and needs_all else None
        """Scores one face with less work than a batch of one takes."""

    @property
    def threshold(self) -> float:
        """Accepted as live when `score >= threshold`."""
        return self.rule.value

    @property
    def note(self) -> str | None:
        """What a reader of a verdict must know of the model, see `describe_training`."""
        return describe_training(self.card)

    def __call__(self, **images: FaceImage | None) -> Prediction:
        """Predict one face, passed by photo, e.g. `predictor(rgb=..., depth=..., ir=...)`.

        Raises DataError if an image cannot be read or shows no face, or a modality that the model needs is
        missing, and ModelError if the score is not a finite number.
        """
        face = self._as_face(images)
        if face is None or self._score_face is None:
            return self.predict([face or self._select(images)])[0]
        return self._check_finite(self._decide(self._score_face(face)))

    def batch(self, **images: FaceImages) -> list[Prediction]:
        """Predict many faces, as many of each modality; raises as calling does."""
        columns = {name: _as_list(name, faces) for name, faces in images.items()}
        if len({len(column) for column in columns.values()}) > 1:
            counts = ", ".join(f"{len(column)} {name}" for name, column in columns.items())
            raise DataError(f"as many images of each modality are needed, not {counts}")
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        chunks = [rows[start : start + BATCH_SIZE] for start in range(0, len(rows), BATCH_SIZE)]
        return [item for chunk in chunks for item in self.predict([self._select(row) for row in chunk])]

    def _as_face(self, images: Mapping[str, Any]) -> Face | None:
        """Return images that need no reading, detecting and resizing, with one look at each; None of others.

        Every function that a call goes through costs microseconds, because the network's weights fill the
        processor's caches: of a network that takes a millisecond, some percent.
        """
        if not self._takes_faces or images.keys() != self._modalities:
            return None
        for image in images.values():
            if not isinstance(image, np.ndarray) or image.shape != self._face_shape:
                return None
            if image.dtype is not UINT8 or not image.flags.carray:
                return None
        return images

    def _select(self, images: Mapping[str, FaceImage | None]) -> Face:
        """Read the images of one sample and prepare its largest face."""
        first = next((image for image in images.values() if image is not None), None)
        is_crop = isinstance(first, (str, Path)) and is_face_crop(Path(first))
        selection = self.faces.select(self._read(images, self._photos), is_crop=is_crop)
        if not selection.crops:
            where = f"{first}: " if isinstance(first, (str, Path)) else ""
            raise DataError(f"{where}{NO_FACE}; give detect=False for images that are cropped to the face")
        return self._resize(selection.crops[0].images)

    def _read(self, images: Mapping[str, FaceImage | None], names: Sequence[str]) -> dict[str, Pixels]:
        """Read the images that are present, in the order of the names that the model takes."""
        present = {name: image for name, image in images.items() if image is not None}
        if present.keys() != set(names):
            self._check_names(present, names)
            if unknown := sorted(set(present) - set(names)):
                raise DataError(f"{unknown[0]!r} image: the model takes {', '.join(names)}")
        return {name: _read(name, present[name]) for name in names if name in present}

    def prepare(self, images: Mapping[str, FaceImage | None]) -> Face:
        """Read and resize the images of one cropped face, `{modality: image}`, for `predict`.

        Raises:
            DataError: an image cannot be read, or a modality that the model needs is missing.
        """
        return self._resize(self._read(images, self.card.modalities))

    def _resize(self, faces: Mapping[str, Pixels]) -> Face:
        """Bring a cropped face to the model's size, as its card says; a face that fits is not copied."""
        size, resize, crops = self.card.input.face_size, self.card.input.resize, self.card.input.crops
        if crops:
            return {name: stretch(to_uint8(image), crops[name], size) for name, image in faces.items()}
        return {name: prepare(image, size, resize) for name, image in faces.items()}

    def check_photos(self, photos: Mapping[str, Any]) -> None:
        """Raise DataError if a photo that the model needs is missing."""
        self._check_names(photos, self._photos)

    def _check_names(self, images: Mapping[str, Any], needed: Sequence[str]) -> None:
        missing = [name for name in needed if name not in images]
        if missing and not (self.card.input.partial and len(missing) < len(needed)):
            some = "one or more of " if self.card.input.partial else ""
            raise DataError(f"no {missing[0]!r} image: the model takes {some}{', '.join(needed)}")

    def predict(self, faces: Sequence[Face]) -> list[Prediction]:
        """Predict prepared faces as one batch; raise ModelError if a score is not a finite number."""
        return [self._check_finite(prediction) for prediction in self.predict_finite(faces)]

    def _check_finite(self, prediction: Prediction | None) -> Prediction:
        if prediction is None:
            raise ModelError(f"{self.model.path}: {NOT_FINITE}")
        return prediction

    def predict_finite(self, faces: Sequence[Face]) -> list[Prediction | None]:
        """Predict prepared faces as one batch; None for a face whose score is not a finite number."""
        if not faces:
            return []
        inputs = self.stack(faces)
        if self.card.novelty is None:
            return [self._decide(score) for score in self.model(*inputs).tolist()]
        scores, distances = self.model.score_with_novelty(*inputs)
        distances = np.nan_to_num(distances, nan=FAR, posinf=FAR)
        limit = self.card.novelty.limit
        pairs = zip(scores.tolist(), distances.tolist(), strict=True)
        return [self._decide(score, distance, limit) for score, distance in pairs]

    def _decide(self, score: float, *novelty: float) -> Prediction | None:
        """Return the verdict on a score, with the face's distance and the limit; None unless it is finite."""
        rule = self.rule
        return Prediction(score, rule.value, rule.reject, *novelty) if isfinite(score) else None

    def stack(self, faces: Sequence[Face]) -> tuple[Images, Presence]:
        """Stack prepared faces to the arguments of the model; missing modalities are zeros."""
        names, side, presence = self.card.modalities, self.card.input.face_size, None
        if len(faces) == 1 and not self.card.input.partial:
            return {name: _as_batch(faces[0][name]) for name in names}, presence
        if self.card.input.partial:
            presence = np.array([[name in face for name in names] for face in faces])
            blank = dict.fromkeys(names, np.zeros((side, side, 3), np.uint8))
            faces = [{**blank, **face} for face in faces]
        return {name: np.stack([face[name] for face in faces]) for name in names}, presence

    judge = former_method("judge", predict)
    batched = former_method("batched", stack)
    check_modalities = former_method("check_modalities", check_photos)


def _choose_threshold(model: OpenModel, value: float | Threshold | None, reject: str | None) -> Threshold:
    """Return the model's own threshold and band of uncertain scores, or those that are given instead."""
    own = model.card.threshold
    if value is not None and not isinstance(value, Threshold):
        value = Threshold(value, f"fixed:{value:g}", "given")
    threshold = value or own
    if threshold is None:
        raise ModelError(f"{model.path}: no threshold goes with it: give one, e.g. fixed:0.5")
    if reject is not None:
        return threshold.with_reject(fit_reject(reject, threshold.value, None, "dev"))
    return threshold.with_reject(None if own is None else own.reject)


def _read(name: str, image: FaceImage) -> Pixels:
    if isinstance(image, (str, Path, Url)):
        return read_pixels(to_location(image))
    return as_pixels(image, f"{name!r}")


def _as_batch(image: Image) -> Image:
    """Return an image (S, S, 3) as a batch of one, writable and without gaps: itself, where it is so."""
    return (image if image.flags.carray else image.copy())[np.newaxis]


def _as_list(name: str, images: Any) -> list[FaceImage | None]:
    if isinstance(images, (str, Path, Url)) or (isinstance(images, np.ndarray) and images.ndim < 3):
        raise DataError(f"{name!r}: give a list of images, or call the predictor itself with one")
    return list(images)
