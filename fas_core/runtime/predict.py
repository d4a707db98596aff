"""From shots to verdicts: reading, finding faces and scoring, in threads that each do all of it.

A thread takes some shots from the file to the score, so that nothing waits for anything else and two
cores do twice what one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from fas_core.data.faces import CropSettings, Detector, cut_faces, face_detector, largest
from fas_core.data.images import Box, Image, cut, meets, read_image, scaled
from fas_core.data.parallel import ordered
from fas_core.errors import DataError
from fas_core.runtime.annotate import write_annotated
from fas_core.runtime.explain import Pictures
from fas_core.runtime.inputs import Shot
from fas_core.runtime.predictor import Face, Prediction, Predictor

CHUNK = 8
"""Shots in a batch. More gain nothing on a CPU, and those of a video are held in memory."""

NO_FACE = "no face found"
Found = tuple[Box | None, Mapping[str, Image]]
"""A face: its box in the first photo, None for the whole of it; and what is in it, by modality."""


@frozen
class Row:
    """What is said of one face, or of a shot without one.

    Args:
        name: the shot's; `#2` and so on behind it for its second face and those after it.
        images: the shot's files.
        box: the face as x, y, w, h in pixels of the first image; None for all of it.
        prediction: None where there is nothing to score; `reason` says why.
        picture: the file that shows what the model looked at; None where none was asked for.
    """

    name: str
    images: Mapping[str, str]
    box: Box | None
    prediction: Prediction | None
    reason: str = ""
    picture: Path | None = None

    def to_json(self) -> dict[str, Any]:
        found = self.prediction
        return {
            "input": self.name,
            "images": dict(self.images),
            "box": None if self.box is None else [round(value, 1) for value in self.box],
            "score": None if found is None else found.score,
            "verdict": None if found is None else found.verdict,
            "reason": self.reason or None,
        }


@frozen(eq=False)
class _Seen:
    """A shot that was read: its first photo, its faces ready to be scored and their boxes, or the reason
    why there are none."""

    shot: Shot
    photo: Image | None = None
    boxes: Sequence[Box | None] = ()
    faces: Sequence[Face] = ()
    reason: str = ""

    def rows(self, predictions: Iterator[Prediction]) -> list[Row]:
        """Its rows, with as many predictions as it has faces."""
        files = {name: str(image) for name, image in self.shot.images.items() if isinstance(image, Path)}
        if not self.faces:
            return [Row(self.shot.name, files, None, None, self.reason)]
        names = [self.shot.name, *(f"{self.shot.name}#{number}" for number in range(2, len(self.boxes) + 1))]
        return [Row(name, files, box, next(predictions)) for name, box in zip(names, self.boxes, strict=True)]


@frozen(eq=False)
class InputScorer:
    """Scores shots with one model. Threads may share it.

    Args:
        predictor: the model.
        crops: how faces are found and cut out; None where images are faces already (or have a box).
        every_face: whether all that are found are scored, or the largest alone.
        annotated: folder of copies with boxes, scores and verdicts drawn; None for no copies.
        pictures: writes what the model looked at; None for no such pictures.
    """

    predictor: Predictor
    crops: CropSettings | None = None
    every_face: bool = False
    annotated: Path | None = None
    pictures: Pictures | None = None
    _detect: Detector | None = field(init=False)

    @_detect.default
    def _detector(self) -> Detector | None:
        return None if self.crops is None else face_detector(self.crops.detector)

    def rows(self, shots: Iterable[Shot], workers: int) -> Iterator[tuple[int, list[Row]]]:
        """How many shots were done, and what is said of them, chunk by chunk in their order.

        Raises:
            FasError: a picture cannot be written. Of images the rows say what is wrong.
        """
        remaining = iter(shots)
        size = CHUNK if self.pictures is None else 1  # the maps of one face keep a thread busy
        chunks = iter(lambda: list(islice(remaining, size)), [])
        threads = workers if workers > 1 else 0
        return ordered(self._scored, chunks, threads, ahead=workers + 1)

    def _scored(self, shots: Sequence[Shot]) -> tuple[int, list[Row]]:
        seen = [self._seen(shot) for shot in shots]
        predictions = iter(self.predictor.judge([face for one in seen for face in one.faces]))
        rows = []
        for one in seen:
            found = one.rows(predictions)
            if self.annotated is not None and one.photo is not None:
                write_annotated(self.annotated, one.shot.place, one.photo, found)
            rows += self._pictured(one, found)
        return len(shots), rows

    def _pictured(self, seen: _Seen, rows: list[Row]) -> list[Row]:
        """The rows, with the picture of them where there is to be one."""
        judged = [row.prediction for row in rows if row.prediction is not None]
        if self.pictures is None or not judged:
            return rows
        file = self.pictures.write(seen.shot.place, list(zip(seen.faces, judged, strict=True)))
        return [evolve(row, picture=file) for row in rows]

    def _seen(self, shot: Shot) -> _Seen:
        try:
            if shot.reason:
                raise DataError(shot.reason)
            self.predictor.refuse_unless_enough(shot.images)
            photos = self._read(shot)
            photo = next(iter(photos.values()))
            found = self._find(shot, photos)
            faces = [self._prepared(pieces) for _, pieces in found]
        except DataError as error:
            return _Seen(shot, reason=_reason(error, shot))
        return _Seen(shot, photo, [box for box, _ in found], faces, "" if faces else NO_FACE)

    def _read(self, shot: Shot) -> dict[str, Image]:
        """The model's modalities, and before them the first where the face is found in it."""
        first = next(iter(shot.images)) if self._detect or shot.box else None
        return {
            name: read_image(image) if isinstance(image, Path) else image
            for name, image in shot.images.items()
            if name == first or name in self.predictor.card.modalities
        }

    def _find(self, shot: Shot, photos: Mapping[str, Image]) -> list[Found]:
        photo = next(iter(photos.values()))
        if shot.box is not None:
            return [_known(shot.box, photos)]
        if self._detect is None or self.crops is None:
            return [(None, photos)]
        boxes = self._detect(photo)
        chosen = sorted(boxes) if self.every_face else [box for box in [largest(boxes)] if box]
        return [cut_faces(photos, box, self.crops) for box in chosen]

    def _prepared(self, pieces: Mapping[str, Image]) -> Face:
        known = self.predictor.card.modalities
        return self.predictor.prepare({name: piece for name, piece in pieces.items() if name in known})


def _reason(error: DataError, shot: Shot) -> str:
    """What is wrong, less the file's name where that is the shot's, too."""
    return error.message.removeprefix(f"{shot.name}: ")


def _known(box: Box, photos: Mapping[str, Image]) -> Found:
    shape = next(iter(photos.values())).shape
    if not meets(box, shape):
        raise DataError(f"box {list(box)} lies outside the image of {shape[1]} x {shape[0]} pixels")
    return box, {name: cut(photo, scaled(box, shape, photo.shape)) for name, photo in photos.items()}
