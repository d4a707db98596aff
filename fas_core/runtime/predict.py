"""From input samples to results: reading, face detection and scoring, in threads that each do all of it.

A thread takes a chunk of samples from the files to the scores, so that no step waits for another and two
cores do twice what one does. Frames of videos are searched for faces before, see `VideoFaces`: which face is
which depends on the frame before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from fas_core.data.faces import is_face_crop
from fas_core.data.images import Box, Image, Pixels, read_pixels, to_uint8, write_image
from fas_core.data.parallel import ordered
from fas_core.errors import DataError
from fas_core.runtime.face_selection import NO_FACE
from fas_core.runtime.inputs import Frame, InputSample
from fas_core.runtime.prediction import FaceResult, Prediction
from fas_core.runtime.predictor import NOT_FINITE, Face, Predictor
from fas_core.runtime.video_copies import VideoCopies
from fas_core.runtime.video_faces import VideoFaces
from fas_core.urls import Location

if TYPE_CHECKING:
    from fas_core.runtime.pictures import ExplanationWriter

CHUNK = 8
"""Samples in a batch. More do not speed up a CPU, and frames of videos are held in memory."""


@frozen(eq=False)
class _LoadedSample:
    """A sample that was read: its first photo, its faces, their boxes and tracks, or why it has none."""

    sample: InputSample
    photo: Pixels | None = None
    boxes: Sequence[Box | None] = ()
    tracks: Sequence[int | None] = ()
    faces: Sequence[Face] = ()
    reason: str = ""
    detector: str | None = None

    def results(self, predictions: Sequence[Prediction | None]) -> list[FaceResult]:
        """Return its results from the predictions of its faces."""
        name, images, frame = self.sample.name, self.sample.images, self.sample.frame
        files = {modality: str(image) for modality, image in images.items() if isinstance(image, Location)}
        empty = FaceResult(name, files, None, None, self.reason, detector=self.detector)
        if frame is not None:
            empty = evolve(empty, video=frame.video.name, frame=frame.number)
        faces = zip(self.boxes, self.tracks, predictions, strict=True)
        return [
            evolve(
                empty,
                name=name if number == 1 else f"{name}#{number}",
                box=box,
                prediction=prediction,
                reason=NOT_FINITE if prediction is None else prediction.reason,
                track=track,
            )
            for number, (box, track, prediction) in enumerate(faces, 1)
        ] or [empty]


@frozen(eq=False)
class _ScoredChunk:
    """The number of its samples, their results, and drawn frames with the paths of their videos."""

    samples: int
    results: list[FaceResult]
    drawn: list[tuple[Path, Frame, Image]]


@frozen(eq=False)
class PredictionPipeline:
    """Scores input samples with one model. Threads may share it.

    Args:
        every_face: whether to score all faces or the largest alone.
        annotated: folder of annotated copies; None for no copies.
        annotated_videos: whether the copies of a video's frames are a video; else each is a picture.
        explanations: writes what the model looked at; None for no explanations.
        detect_every: faces are detected in each so many-th frame of a video, and followed between.
    """

    predictor: Predictor
    every_face: bool = False
    annotated: Path | None = None
    explanations: ExplanationWriter | None = None
    detect_every: int = 1
    annotated_videos: bool = False

    def run(self, samples: Iterable[InputSample], workers: int) -> Iterator[tuple[int, list[FaceResult]]]:
        """Yield, for each chunk in order, its number of samples and their results.

        An image that cannot be read is a result with the reason. Raises FasError if an annotated copy or an
        explanation cannot be written.
        """
        threads = workers if workers > 1 else 0
        searched = VideoFaces(self.predictor, self.detect_every).find(samples, threads)
        chunks = ordered(self._score, self._split(searched), threads, ahead=workers + 1)
        with closing(chunks), VideoCopies() as copies:
            for chunk in chunks:
                for path, frame, image in chunk.drawn:
                    copies.add(path, frame, image)
                yield chunk.samples, chunk.results

    def _split(self, samples: Iterable[InputSample]) -> Iterator[list[InputSample]]:
        """Split samples into chunks; a picture of now does not wait for others."""
        size = CHUNK if self.explanations is None else 1  # the maps of one face keep a thread busy
        chunk: list[InputSample] = []
        for sample in samples:
            chunk.append(sample)
            if len(chunk) == size or (sample.frame is not None and sample.frame.is_live):
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _score(self, samples: Sequence[InputSample]) -> _ScoredChunk:
        """Score one chunk as one batch, and draw and write its pictures."""
        loaded = [self._load(sample) for sample in samples]
        predictions = iter(self.predictor.predict_finite([face for item in loaded for face in item.faces]))
        chunk = _ScoredChunk(len(samples), [], [])
        for item in loaded:
            own = list(islice(predictions, len(item.faces)))
            results = self._explain(item, own, item.results(own))
            if self.annotated is not None and item.photo is not None:
                chunk.drawn.extend(self._annotate(self.annotated, item.sample, to_uint8(item.photo), results))
            chunk.results.extend(results)
        return chunk

    def _annotate(
        self, folder: Path, sample: InputSample, photo: Image, results: Sequence[FaceResult]
    ) -> list[tuple[Path, Frame, Image]]:
        """Write the annotated copy of a sample; return it instead if it is a frame of a video to write."""
        from fas_core.runtime.pictures import annotate, output_path, video_copy_path  # few commands draw

        if self.annotated_videos and (frame := sample.frame) is not None:
            return [(video_copy_path(folder, frame.video), frame, annotate(photo, results, min_side=1))]
        write_image(output_path(folder, sample.copy_path), annotate(photo, results), durable=False)
        return []

    def _explain(
        self, loaded: _LoadedSample, predictions: Sequence[Prediction | None], results: list[FaceResult]
    ) -> list[FaceResult]:
        """Return the results of a sample, with the picture of its explanation where one is requested."""
        faces = [
            (face, prediction)
            for face, prediction in zip(loaded.faces, predictions, strict=True)
            if prediction is not None
        ]
        if self.explanations is None or not faces:
            return results
        path = self.explanations.write(loaded.sample.copy_path, faces)
        return [evolve(result, picture=path if result.prediction else None) for result in results]

    def _load(self, sample: InputSample) -> _LoadedSample:
        try:
            if sample.reason:
                raise DataError(sample.reason)
            self.predictor.check_photos(sample.images)
            is_crop = _is_crop(sample)
            photos = self._read_photos(sample, is_crop)
            selection = self.predictor.faces.select(
                photos, box=sample.box, is_crop=is_crop, every_face=self.every_face, faces=sample.faces
            )
            faces = [self._prepare(crop.images) for crop in selection.crops]
        except DataError as error:
            # The result is named after the sample already.
            return _LoadedSample(sample, reason=error.message.removeprefix(f"{sample.name}: "))
        photo = next(iter(photos.values()))
        boxes, tracks = [crop.box for crop in selection.crops], [crop.track for crop in selection.crops]
        reason = "" if faces else NO_FACE
        return _LoadedSample(sample, photo, boxes, tracks, faces, reason, selection.detector)

    def _read_photos(self, sample: InputSample, is_crop: bool) -> dict[str, Pixels]:
        """Read the model's photos, and the first image where faces or boxes refer to it."""
        is_needed = sample.box is not None or self.predictor.faces.detects(is_crop)
        first = next(iter(sample.images)) if is_needed else None
        return {
            name: read_pixels(image) if isinstance(image, Location) else image
            for name, image in sample.images.items()
            if name == first or name in self.predictor.card.input.photos
        }

    def _prepare(self, images: Mapping[str, Image]) -> Face:
        modalities = self.predictor.card.modalities
        return self.predictor.prepare({name: image for name, image in images.items() if name in modalities})


def _is_crop(sample: InputSample) -> bool:
    first = next(iter(sample.images.values()))
    return isinstance(first, Location) and is_face_crop(first)
