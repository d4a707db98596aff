"""The faces of the frames of videos: detected in every n-th frame, followed between, numbered by track."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from fas_core.data.images import Image, to_uint8
from fas_core.data.parallel import ordered
from fas_core.errors import DataError
from fas_core.records.detected_face import DetectedFace
from fas_core.runtime.inputs import InputSample
from fas_core.runtime.predictor import Predictor
from fas_core.urls import Location

if TYPE_CHECKING:
    from fas_core.runtime.tracking import FaceTracker

MAX_AHEAD = 12
"""Frames in memory that wait for faces of earlier ones."""


@frozen(eq=False)
class _Detected:
    """A sample, the image in which its faces are looked for, and those that were detected; None for none."""

    sample: InputSample
    image: Image | None = None
    faces: Sequence[DetectedFace] | None = None

    @property
    def is_first(self) -> bool:
        """Whether it is the first frame of its video."""
        return self.sample.frame is not None and self.sample.frame.index == 0


@frozen(eq=False)
class VideoFaces:
    """Gives the frames of videos their faces, `InputSample.faces`; other samples pass as they are.

    Threads search frames for faces. Following faces from one frame to the next takes a hundredth of the time,
    and is done in the thread that takes the samples.

    Args:
        every: each so many-th sample of a video is searched.
    """

    predictor: Predictor
    every: int = 1

    def find(self, samples: Iterable[InputSample], workers: int) -> Iterator[InputSample]:
        """Yield the samples in order; 0 workers to do all in this thread."""
        tracker = None
        ahead = min(workers * self.every, MAX_AHEAD) + 1  # so that each worker has a frame to search
        for item in ordered(self._search, samples, workers, ahead):
            if item.image is None:
                yield item.sample
                continue
            if tracker is None or item.is_first:
                from fas_core.runtime.tracking import FaceTracker  # images need none

                tracker = FaceTracker(self._detect)
            yield _follow(tracker, item.sample, item.image, item.faces)

    def _search(self, sample: InputSample) -> _Detected:
        """Search a frame whose turn it is."""
        image = self._choose_image(sample)
        if sample.frame is None or image is None:
            return _Detected(sample)
        if sample.frame.index % self.every:
            return _Detected(sample, image)
        try:
            return _Detected(sample, image, self._detect(image))
        except DataError as error:
            return _Detected(evolve(sample, reason=error.message))

    def _detect(self, image: Image) -> list[DetectedFace]:
        return self.predictor.faces.detector(image)

    def _choose_image(self, sample: InputSample) -> Image | None:
        """Return the image of a frame in which faces are looked for; None where none are."""
        if sample.frame is None or sample.reason:
            return None
        photos = {name: image for name, image in sample.images.items() if not isinstance(image, Location)}
        try:
            self.predictor.check_photos(photos)
        except DataError:  # which is raised again where the sample is scored, and is its reason
            return None
        photo = self.predictor.faces.searched(photos)
        return None if photo is None else to_uint8(photo)


def _follow(
    tracker: FaceTracker, sample: InputSample, image: Image, detected: Sequence[DetectedFace] | None
) -> InputSample:
    try:
        return evolve(sample, faces=tracker.follow(image, detected))
    except DataError as error:
        return evolve(sample, reason=error.message)
