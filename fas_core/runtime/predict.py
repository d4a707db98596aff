"""From input samples to results: reading, face detection and scoring, in threads that each do all of it.

A thread takes a chunk of samples from the files to the scores, so that no step waits for another and two
cores do twice what one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from attrs import evolve, field, frozen

from fas_core.data.faces import CropSettings, Detector, crop_face, face_detector, largest
from fas_core.data.images import (
    Box,
    Image,
    Pixels,
    box_overlaps,
    crop,
    read_pixels,
    scale_box,
    to_uint8,
    write_image,
)
from fas_core.data.parallel import ordered
from fas_core.errors import DataError
from fas_core.runtime.inputs import InputSample
from fas_core.runtime.pictures import ExplanationWriter, annotate, output_path
from fas_core.runtime.predictor import Face, FaceResult, Prediction, Predictor

CHUNK = 8
"""Samples in a batch. More do not speed up a CPU, and frames of videos are held in memory."""

NO_FACE = "no face found"

FaceCrop = tuple[Box | None, Mapping[str, Image]]
"""A face: its box in the first photo, None for the whole photo; and `{modality: pixels}`."""


@frozen(eq=False)
class _LoadedSample:
    """A sample that was read: its first photo, its prepared faces and their boxes, or why it has none."""

    sample: InputSample
    photo: Pixels | None = None
    boxes: Sequence[Box | None] = ()
    faces: Sequence[Face] = ()
    reason: str = ""

    def results(self, predictions: Sequence[Prediction]) -> list[FaceResult]:
        """Return its results from the predictions of its faces."""
        name, images = self.sample.name, self.sample.images
        files = {modality: str(image) for modality, image in images.items() if isinstance(image, Path)}
        if not self.faces:
            return [FaceResult(name, files, None, None, self.reason)]
        return [
            FaceResult(name if number == 1 else f"{name}#{number}", files, box, prediction)
            for number, (box, prediction) in enumerate(zip(self.boxes, predictions, strict=True), 1)
        ]


@frozen(eq=False)
class PredictionPipeline:
    """Scores input samples with one model. Threads may share it.

    Args:
        crops: how faces are detected and cropped; None where images are faces already (or have a box).
        every_face: whether to score all faces or the largest alone.
        annotated: folder of annotated copies; None for no copies.
        explanations: writes what the model looked at; None for no explanations.
    """

    predictor: Predictor
    crops: CropSettings | None = None
    every_face: bool = False
    annotated: Path | None = None
    explanations: ExplanationWriter | None = None
    _detect: Detector | None = field(init=False)

    @_detect.default
    def _build_detector(self) -> Detector | None:
        return None if self.crops is None else face_detector(self.crops.detector)

    def run(self, samples: Iterable[InputSample], workers: int) -> Iterator[tuple[int, list[FaceResult]]]:
        """Yield, for each chunk in order, its number of samples and their results.

        An image that cannot be read is a result with the reason. Raises FasError if an annotated copy or an
        explanation cannot be written.
        """
        remaining = iter(samples)
        size = CHUNK if self.explanations is None else 1  # the maps of one face keep a thread busy
        chunks = iter(lambda: list(islice(remaining, size)), [])
        return ordered(self._score, chunks, workers if workers > 1 else 0, ahead=workers + 1)

    def _score(self, samples: Sequence[InputSample]) -> tuple[int, list[FaceResult]]:
        """Score one chunk as one batch."""
        loaded = [self._load(sample) for sample in samples]
        predictions = iter(self.predictor.predict([face for item in loaded for face in item.faces]))
        results: list[FaceResult] = []
        for item in loaded:
            results += self._write(item, list(islice(predictions, len(item.faces))))
        return len(samples), results

    def _write(self, loaded: _LoadedSample, predictions: Sequence[Prediction]) -> list[FaceResult]:
        """Return the results of a sample; write its annotated copy and its explanation where requested."""
        results = loaded.results(predictions)
        if self.annotated is not None and loaded.photo is not None:
            path = output_path(self.annotated, loaded.sample.copy_path)
            write_image(path, annotate(to_uint8(loaded.photo), results), durable=False)
        if self.explanations is None or not loaded.faces:
            return results
        faces = list(zip(loaded.faces, predictions, strict=True))
        path = self.explanations.write(loaded.sample.copy_path, faces)
        return [evolve(result, picture=path) for result in results]

    def _load(self, sample: InputSample) -> _LoadedSample:
        try:
            if sample.reason:
                raise DataError(sample.reason)
            self.predictor.check_modalities(sample.images)
            photos = self._read_photos(sample)
            crops = self._crop_faces(sample, photos)
            faces = [self._prepare(images) for _, images in crops]
        except DataError as error:
            # The result is named after the sample already.
            return _LoadedSample(sample, reason=error.message.removeprefix(f"{sample.name}: "))
        photo = next(iter(photos.values()))
        return _LoadedSample(sample, photo, [box for box, _ in crops], faces, "" if faces else NO_FACE)

    def _read_photos(self, sample: InputSample) -> dict[str, Pixels]:
        """Read the model's modalities, and the first one where faces or boxes refer to it."""
        first = next(iter(sample.images)) if self._detect or sample.box else None
        return {
            name: read_pixels(image) if isinstance(image, Path) else image
            for name, image in sample.images.items()
            if name == first or name in self.predictor.card.modalities
        }

    def _crop_faces(self, sample: InputSample, photos: Mapping[str, Pixels]) -> list[FaceCrop]:
        if sample.box is not None:
            return [_crop_box(sample.box, photos)]
        if self._detect is None or self.crops is None:
            return [(None, {name: to_uint8(photo) for name, photo in photos.items()})]
        boxes = self._detect(to_uint8(next(iter(photos.values()))))
        face = largest(boxes)
        selected = sorted(boxes) if self.every_face else [] if face is None else [face]
        return [crop_face(photos, box, self.crops) for box in selected]

    def _prepare(self, images: Mapping[str, Image]) -> Face:
        modalities = self.predictor.card.modalities
        return self.predictor.prepare({name: image for name, image in images.items() if name in modalities})


def _crop_box(box: Box, photos: Mapping[str, Pixels]) -> FaceCrop:
    shape = next(iter(photos.values())).shape
    if not box_overlaps(box, shape):
        raise DataError(f"box {list(box)} lies outside the image of {shape[1]} x {shape[0]} pixels")
    return box, {name: crop(photo, scale_box(box, shape, photo.shape)) for name, photo in photos.items()}
