"""Which pixels of a photo are scored: the whole image, or a crop around each face.

docs/predict.md states the rule and its measurements.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from fas_core.data.detectors import FaceDetector, face_detector, require_landmarks
from fas_core.data.faces import NOT_PHOTOS, CropSettings, crop_face, largest
from fas_core.data.fetched_models import is_public_model
from fas_core.data.images import Box, Image, Pixels, box_overlaps, crop, scale_box, to_uint8
from fas_core.data.scaled_crops import crop_inputs
from fas_core.errors import DataError
from fas_core.records.detected_face import DetectedFace
from fas_core.records.model_input import ModelInput

if TYPE_CHECKING:
    from fas_core.runtime.external_model import ExternalModel

MIN_SHARE = 0.4
"""A face whose box covers at least this share of an image's area fills it: the image is a crop already."""

NO_FACE = "no face found"


@frozen(eq=False)
class FaceCrop:
    """A face to score.

    Args:
        box: the area, in pixels of the first image, or the face's box where the model states its crops; None
            for the whole images.
        images: its pixels, `{modality: (H, W, 3)}`; for a model that states its crops of its face size.
        track: number of the face in its video; None for a photo.
    """

    box: Box | None
    images: Mapping[str, Image]
    track: int | None = None


@frozen(eq=False)
class Selection:
    """The faces of one sample.

    Args:
        crops: none where no face was found.
        detector: name of the detector that searched the image; None where the image was taken as it is.
        detected: the number of faces that it found; None without a detector.
    """

    crops: tuple[FaceCrop, ...]
    detector: str | None = None
    detected: int | None = None


class FaceSelector:
    """Chooses the faces of photos. Threads may share it.

    Args:
        detect: True to crop every photo to its face; False to take all images as they are; None to take an
            image as it is only if its face fills it.
        settings: how faces are detected and cropped.
        model_input: of a model that states its crops, which replace those of the settings.

    Raises:
        DataError: the detector is missing or not one, or finds no landmarks that the crops need; or the
            settings change crops that the model states.
    """

    def __init__(
        self,
        detect: bool | None = None,
        settings: CropSettings | None = None,
        model_input: ModelInput | None = None,
    ) -> None:
        self.detect, self.settings = detect, settings or CropSettings()
        self.model_input = model_input if model_input is not None and model_input.crops else None
        if self.model_input is not None and not self.settings.is_default_region:
            scales = ", ".join(f"{crop.scale:g}" for crop in self.model_input.crops.values())
            reason = f"the model states its own crops, of {scales} times the face's box"
            raise DataError(f"{reason}: leave out --margin and --align")
        if self.settings.detector is not None or (detect is not False and self.settings.region != "box"):
            _ = self.detector  # a mistake is refused before the work starts

    @cached_property
    def detector(self) -> FaceDetector:
        """The detector, which is built when a first image needs it."""
        detector = face_detector(self.settings.detector)
        if self.settings.region != "box":
            require_landmarks(detector)
        return detector

    def detects(self, is_crop: bool) -> bool:
        """Whether faces are detected in an image without a box; `is_crop`: it is known to be a face crop."""
        return not is_crop if self.detect is None else self.detect

    def searched(
        self, images: Mapping[str, Pixels], is_crop: bool = False, detect: bool | None = None
    ) -> Pixels | None:
        """Return the photo in which `select` looks for faces; None where it takes the images as they are."""
        name = next((name for name in images if name not in NOT_PHOTOS), None)
        detect = self.detect if detect is None else detect
        if detect is False or (detect is None and (is_crop or name is None)):
            return None
        return images[name or next(iter(images))]

    def select(
        self,
        images: Mapping[str, Pixels],
        *,
        box: Box | None = None,
        is_crop: bool = False,
        every_face: bool = False,
        detect: bool | None = None,
        faces: Mapping[int, DetectedFace] | None = None,
    ) -> Selection:
        """Return the faces to score of a sample's images.

        Args:
            images: `{photo: (H, W, 3)}`, see `ModelInput.photos`; faces are detected in the first one that is
                not a depth map.
            box: the face in pixels of the first image, where the sample has one: it is cropped as it is, or
                the model's crops are cut around it.
            is_crop: whether the sample's data set says that its images are cropped to the face.
            every_face: whether to return all faces rather than the largest.
            detect: replaces the selector's own `detect`, unless it is None.
            faces: `{track: face}`, the faces of the searched photo where they are known; None to detect.

        Raises:
            DataError: the box lies outside the image.
        """
        if box is not None:
            return Selection((self._crop_box(box, images),))
        photo = self.searched(images, is_crop, detect)
        if photo is None:
            return Selection((self._take_whole(images),))
        detected = list(self.detector(to_uint8(photo)) if faces is None else faces.values())
        tracks = [None] * len(detected) if faces is None else list(faces)
        first, face = next(iter(images.values())), largest(detected)
        may_be_crop = (self.detect if detect is None else detect) is None and self.model_input is None
        is_crop = may_be_crop and face is not None and _fills(face, photo)
        pairs = [
            pair
            for pair in zip(detected, tracks, strict=True)
            if pair[0] is face or (every_face and not is_crop)
        ]
        crops = [
            evolve(
                self._take_whole(images) if is_crop else self._crop(images, _scale(item, photo, first)),
                track=track,
            )
            for item, track in sorted(pairs, key=lambda pair: pair[0].box)
        ]
        return Selection(tuple(crops), self.detector.name, len(detected))

    def _crop(self, images: Mapping[str, Pixels], face: DetectedFace) -> FaceCrop:
        if self.model_input is not None:
            return FaceCrop(face.box, crop_inputs(images, face.box, self.model_input))
        return FaceCrop(*crop_face(images, face, self.settings))

    def _crop_box(self, box: Box, images: Mapping[str, Pixels]) -> FaceCrop:
        shape = next(iter(images.values())).shape
        if not box_overlaps(box, shape):
            raise DataError(f"box {list(box)} lies outside the image of {shape[1]} x {shape[0]} pixels")
        if self.model_input is not None:
            return FaceCrop(box, crop_inputs(images, box, self.model_input))
        crops = {name: crop(image, scale_box(box, shape, image.shape)) for name, image in images.items()}
        return FaceCrop(box, crops)

    def _take_whole(self, images: Mapping[str, Pixels]) -> FaceCrop:
        if self.model_input is not None:
            return FaceCrop(None, crop_inputs(images, None, self.model_input))
        return FaceCrop(None, {name: to_uint8(image) for name, image in images.items()})


def stated_crops(path: Path, external: ExternalModel | None) -> CropSettings:
    """Return how a model's description says that photos are cropped, or the usual settings.

    Args:
        path: of the model; a fetched public model has a description of its own.
        external: the description that the user gave.
    """
    if external is not None:
        return external.crop
    if not is_public_model(path):
        return CropSettings()
    from fas_core.runtime.public_model import PublicModel  # slow to import, and rarely needed

    return PublicModel.read(path).files[0].terms.crop


def select_faces(model_input: ModelInput, detector: str | None = None) -> FaceSelector | None:
    """Return what crops photos for a model that states its crops; None for one that takes face images.

    A model that does without some modalities takes what it is given.
    """
    if not model_input.crops or model_input.partial:
        return None
    return FaceSelector(settings=CropSettings().replace(detector=detector), model_input=model_input)


def _fills(face: DetectedFace, image: Pixels) -> bool:
    return bool(face.box[2] * face.box[3] >= MIN_SHARE * image.shape[0] * image.shape[1])


def _scale(face: DetectedFace, source: Pixels, target: Pixels) -> DetectedFace:
    """Scale a face from the pixels of one image to those of another of the same scene."""
    if source.shape == target.shape:
        return face
    y_scale, x_scale = target.shape[0] / source.shape[0], target.shape[1] / source.shape[1]
    points = face.landmarks and tuple((x * x_scale, y * y_scale) for x, y in face.landmarks)
    return evolve(face, box=scale_box(face.box, source.shape, target.shape), landmarks=points)
