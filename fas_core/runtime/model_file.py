"""An exported model as a function of byte images; all it needs to know is in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fas_core.card import PRESENCE, Card
from fas_core.contracts import Images
from fas_core.errors import DataError, ModelError
from fas_core.runtime.engines import Engine, open_engine
from fas_core.runtime.external_model import ExternalEngine, ExternalModel
from fas_core.runtime.read_card import read_card

Presence = NDArray[np.bool_] | None

SCORE = "score"


class ModelFile:
    """Scores batches of face images with a model that `fas export` wrote.

    A `fas_core.contracts.Scorer`. May be called from several threads at once.

    Args:
        path: the `.onnx` file, or OpenVINO's `.xml`.
        threads: CPU threads of one call; None for one per core.
        foreign: what the file is, where it does not say so itself.

    Attributes:
        card: modalities in order, input size, resize rule, threshold, recipe.

    Raises:
        ModelError: the file is missing, damaged, no model, or not one of ours.
        FasError: its engine, OpenVINO, is not installed.

    Example:
        >>> model = ModelFile("model.onnx")  # doctest: +SKIP
        >>> model({"rgb": faces}) >= model.card.threshold.value  # doctest: +SKIP
        array([ True, False])
    """

    def __init__(
        self, path: Path | str, threads: int | None = None, foreign: ExternalModel | None = None
    ) -> None:
        self.path = Path(path)
        self._engine, self.card = _open(self.path, threads, foreign)
        inputs, self._names = self._engine.inputs, self._engine.outputs
        expected = self.card.modalities + ((PRESENCE,) if self.card.input.partial else ())
        if inputs != expected or SCORE not in self._names:
            raise ModelError(
                f"{self.path}: its metadata is of another model: the graph takes {', '.join(inputs)} "
                f"and gives {', '.join(self._names)}"
            )

    def __call__(self, images: Images, presence: Presence = None) -> NDArray[np.float64]:
        """The score of every face, higher is more live.

        Args:
            images: `{modality: uint8 (B, H, W, 3)}`, RGB, H = W = `card.input.face_size`; modalities that
                the model does not take are ignored. A model whose card says `partial` needs one at least.
            presence: (B, modalities) bool, in the card's order, False where a face lacks a modality;
                None: each has all that is given. For `partial` models only.

        Returns:
            (B,); a face is live when its score is at least the threshold.

        Raises:
            DataError: a modality is missing, or images are not of that kind.
        """
        (scores,) = self._engine.run([SCORE], self._inputs(images, presence))
        return np.asarray(scores, np.float64)

    def outputs(self, images: Images, presence: Presence = None) -> dict[str, NDArray[np.float32]]:
        """All that the graph gives, by name: `score` (B,) and, of classifiers, `logits` (B, K).

        Takes and raises what calling does.
        """
        found = self._engine.run(self._names, self._inputs(images, presence))
        return dict(zip(self._names, found, strict=True))

    def _inputs(self, images: Images, presence: Presence) -> dict[str, NDArray[Any]]:
        taken: dict[str, NDArray[Any]] = self._pixels(images)
        if not self.card.input.partial:
            if presence is not None:
                raise DataError(f"{self.path}: was not trained to do without a modality; {self._takes()}")
            return taken
        count, side = len(next(iter(taken.values()))), self.card.input.face_size
        blank = np.zeros((count, side, side, 3), np.uint8)
        pixels = {name: taken.get(name, blank) for name in self.card.modalities}
        given = [name in taken for name in self.card.modalities]
        return {**pixels, PRESENCE: self._presence(presence, given, count)}

    def _presence(self, presence: Presence, given: list[bool], count: int) -> NDArray[np.bool_]:
        if presence is None:
            return np.tile(given, (count, 1))
        if presence.shape != (count, len(given)) or not presence.any(axis=1).all():
            raise DataError(
                f"{self.path}: presence must be ({count}, {len(given)}) with a modality or more in each row; "
                f"it is {presence.shape}"
            )
        if (presence & ~np.array(given)).any():
            raise DataError(f"{self.path}: presence promises a modality of which no images are given")
        return presence

    def _pixels(self, images: Images) -> dict[str, NDArray[np.uint8]]:
        side = self.card.input.face_size
        taken = {}
        for name in self.card.modalities:
            if name not in images:
                if self.card.input.partial:
                    continue
                raise DataError(f"{self.path}: no {name!r} images given; {self._takes()}")
            pixels = taken[name] = np.asarray(images[name])
            if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != (side, side, 3):
                raise DataError(
                    f"{self.path}: {name!r} images are {pixels.dtype} {pixels.shape}; {self._takes()}"
                )
        if not taken:
            raise DataError(f"{self.path}: no images given; {self._takes()}")
        if len({len(pixels) for pixels in taken.values()}) > 1:
            counts = ", ".join(f"{len(pixels)} {name}" for name, pixels in taken.items())
            raise DataError(f"{self.path}: as many images of each modality are needed, not {counts}")
        return taken

    def _takes(self) -> str:
        side, some = self.card.input.face_size, "some of " if self.card.input.partial else ""
        return f"the model takes {some}{', '.join(self.card.modalities)}, each uint8 (B, {side}, {side}, 3)"


def _open(path: Path, threads: int | None, foreign: ExternalModel | None) -> tuple[Engine, Card]:
    engine = open_engine(path, threads)
    if engine.metadata is not None:
        if foreign is not None:
            raise ModelError(
                f"{path}: says itself what it is, as `fas export` wrote it: leave the other terms out"
            )
        return engine, read_card(engine.metadata, str(path))
    if foreign is None:
        raise ModelError(
            f"{path}: {engine.kind}, but without fas metadata (modalities, size, threshold): "
            "give a model that `fas export` wrote, or say what it is (fas predict --foreign)"
        )
    return ExternalEngine(engine, foreign, path), foreign.card
