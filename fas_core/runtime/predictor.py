"""Live or attack: an exported model with the resizing before it and the threshold behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from fas_core.card import Card
from fas_core.contracts import Images
from fas_core.data.images import Image, as_image, prepare, read_image
from fas_core.errors import DataError, ModelError
from fas_core.runtime.external_model import ExternalModel
from fas_core.runtime.model_file import ModelFile, Presence

Picture = str | Path | NDArray[np.uint8] | NDArray[np.uint16]
"""A cropped face: an image file, or its pixels as (H, W, 3) RGB, also (H, W) grey or depth, of any size."""

Pictures = Sequence[Picture | None] | NDArray[np.uint8] | NDArray[np.uint16]
"""Many, None where one is missing; or an array of all, (B, H, W, 3)."""

Face = Mapping[str, Image]
"""A face as the model takes it: `{modality: uint8 (S, S, 3)}`, S being the card's input size."""

BATCH_SIZE = 32


class OpenModel(Protocol):
    """A scorer that says of itself what a model file does, e.g. a run's."""

    path: Path
    card: Card

    def __call__(self, images: Images, presence: Presence = None) -> NDArray[np.float64]: ...


@frozen
class Prediction:
    """What a model says of one face.

    Args:
        score: higher is more live; of a classifier the probability of being live.
        threshold: accepted as live when `score >= threshold`.
    """

    score: float
    threshold: float
    live: bool = field(init=False)

    @live.default
    def _accepted(self) -> bool:
        return self.score >= self.threshold

    @property
    def verdict(self) -> Literal["live", "attack"]:
        return "live" if self.live else "attack"


class Predictor:
    """Tells live faces from attacks with a model that `fas export` wrote. Threads may share one.

    Faces are resized as the model's card says, the way they were when its threshold was fitted.

    Args:
        path: the `.onnx` file, or OpenVINO's `.xml`; or a model that is open already.
        threads: CPU threads of one call of a file; None for one per core.
        threshold: instead of the model's own.
        foreign: what a model is that `fas export` did not write.

    Attributes:
        model: what gives the scores.
        card: its modalities, input size, threshold with its policy, recipe.
        threshold: what scores are compared with.

    Raises:
        ModelError: the file is missing, damaged, not one of ours, or has no threshold and none is given.

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
        threshold: float | None = None,
        foreign: ExternalModel | None = None,
    ) -> None:
        self.model: OpenModel = ModelFile(path, threads, foreign) if isinstance(path, (str, Path)) else path
        self.card: Card = self.model.card
        if threshold is None:
            if self.card.threshold is None:
                raise ModelError(f"{self.model.path}: no threshold goes with it: give one, e.g. fixed:0.5")
            threshold = self.card.threshold.value
        self.threshold = threshold

    def __call__(self, **images: Picture | None) -> Prediction:
        """The verdict on one face, given by modality, e.g. `predictor(rgb=..., depth=..., ir=...)`.

        Raises:
            DataError: an image cannot be read, or a modality is missing that the model needs.
        """
        return self.judge([self.prepare(images)])[0]

    def batch(self, **images: Pictures) -> list[Prediction]:
        """The verdicts on many faces, as many of each modality.

        Raises:
            DataError: as calling does; the first image that cannot be read ends it.
        """
        columns = {name: _column(name, pictures) for name, pictures in images.items()}
        if len({len(column) for column in columns.values()}) > 1:
            counts = ", ".join(f"{len(column)} {name}" for name, column in columns.items())
            raise DataError(f"as many images of each modality are needed, not {counts}")
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        chunks = [rows[start : start + BATCH_SIZE] for start in range(0, len(rows), BATCH_SIZE)]
        return [found for chunk in chunks for found in self.judge([self.prepare(row) for row in chunk])]

    def prepare(self, images: Mapping[str, Picture | None]) -> Face:
        """Images of one face read and resized: what `judge` takes; raises as calling does."""
        given = {name: picture for name, picture in images.items() if picture is not None}
        self.refuse_unless_enough(given)
        if unknown := sorted(set(given) - set(self.card.modalities)):
            raise DataError(f"{unknown[0]!r} image: the model takes {', '.join(self.card.modalities)}")
        size, resize = self.card.input.face_size, self.card.input.resize
        return {name: prepare(_read(name, picture), size, resize) for name, picture in given.items()}

    def refuse_unless_enough(self, given: Mapping[str, Any]) -> None:
        """Nothing, when the model can score what has these modalities.

        Raises:
            DataError: it cannot.
        """
        known = self.card.modalities
        missing = [name for name in known if name not in given]
        if missing and not (self.card.input.partial and len(missing) < len(known)):
            some = "one or more of " if self.card.input.partial else ""
            raise DataError(f"no {missing[0]!r} image: the model takes {some}{', '.join(known)}")

    def judge(self, faces: Sequence[Face]) -> list[Prediction]:
        """The verdicts on prepared faces, scored as one batch."""
        return list(self._judged(faces)) if faces else []

    def batched(self, faces: Sequence[Face]) -> tuple[Images, Presence]:
        """Prepared faces as the model is called with them; zeros stand for what a face lacks."""
        names, side, there = self.card.modalities, self.card.input.face_size, None
        if self.card.input.partial:
            there = np.array([[name in face for name in names] for face in faces])
            blank = dict.fromkeys(names, np.zeros((side, side, 3), np.uint8))
            faces = [{**blank, **face} for face in faces]
        return {name: np.stack([face[name] for face in faces]) for name in names}, there

    def _judged(self, faces: Sequence[Face]) -> Iterator[Prediction]:
        for score in self.model(*self.batched(faces)):
            yield Prediction(float(score), self.threshold)


def _read(name: str, picture: Picture) -> Image:
    return read_image(Path(picture)) if isinstance(picture, (str, Path)) else as_image(picture, f"{name!r}")


def _column(name: str, pictures: Any) -> list[Picture | None]:
    if isinstance(pictures, (str, Path)) or (isinstance(pictures, np.ndarray) and pictures.ndim < 3):
        raise DataError(f"{name!r}: give a list of images, or call the predictor itself with one")
    return list(pictures)
