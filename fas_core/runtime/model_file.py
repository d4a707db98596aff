"""An exported model as a function of byte images; all it needs is in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from fas_core.card import PRESENCE, Card
from fas_core.data.fetched_models import is_public_model, resolve_model
from fas_core.data.model_formats import find_runtime
from fas_core.digests import hash_file
from fas_core.errors import DataError, FasError, ModelError
from fas_core.records.novelty import NOVELTY
from fas_core.runtime.engines import first_line, open_engine_on
from fas_core.runtime.stored_card import read_card
from fas_core.scores.thresholds import Threshold

if TYPE_CHECKING:
    from fas_core.contracts import Engine, Images
    from fas_core.runtime.external_model import ExternalModel

Presence = NDArray[np.bool_] | None

SCORE = "score"
SCORES = (SCORE,)
UINT8, FLOAT64 = np.dtype(np.uint8), np.dtype(np.float64)


class ModelFile:
    """Scores batches of face images with a model that `fas export` wrote. Threads may share it.

    A `fas_core.contracts.Scorer`.

    Args:
        path: a file that a runtime opens, e.g. `.onnx`; or `public:NAME`, or the folder, of a fetched model.
        threads: CPU threads of one call; None for one per core.
        external: description of a model that `fas export` did not write.
        trusted: whether this process wrote the file: files of some runtimes are not opened else.
        device: where it runs, or several in the order to try: `cuda,cpu`; None for the CPU.

    Raises:
        ModelError: the file is missing, damaged, not a model, not trusted, or has no fas metadata and no
            description.
        DeviceError: no such device is here.
        FasError: its engine, such as OpenVINO, is not installed.

    Example:
        >>> model = ModelFile("model.onnx")  # doctest: +SKIP
        >>> model({"rgb": faces}) >= model.card.threshold.value  # doctest: +SKIP
        array([ True, False])
    """

    def __init__(
        self,
        path: Path | str,
        threads: int | None = None,
        external: ExternalModel | None = None,
        *,
        trusted: bool = False,
        device: str | None = None,
    ) -> None:
        self.path = resolve_model(path) if isinstance(path, str) else path
        self._engine, self.card, self.device = _open(self.path, threads, external, trusted, device)
        inputs, self._names = self._engine.inputs, self._engine.outputs
        side = self.card.input.face_size
        self._shape = (side, side, 3)
        expected = self.card.modalities + ((PRESENCE,) if self.card.input.partial else ())
        needed = {SCORE} if self.card.novelty is None else {SCORE, NOVELTY}
        if inputs != expected or not needed.issubset(self._names):
            raise ModelError(
                f"{self.path}: its metadata is of another model: the graph takes {', '.join(inputs)} "
                f"and gives {', '.join(self._names)}"
            )

    def __call__(self, images: Images, presence: Presence = None) -> NDArray[np.float64]:
        """Return the score of every face, (B,); higher is more live.

        Args:
            images: `{modality: uint8 (B, H, W, 3)}`, RGB, H = W = `card.input.face_size`; other modalities
                than the model's are ignored. A model whose card says `partial` needs at least one.
            presence: (B, modalities) bool, in the card's order, False where a face lacks a modality;
                None: each face has every modality of `images`. For `partial` models only.

        Raises:
            DataError: a modality is missing, or an array has another shape or type.
        """
        return self._run_columns([SCORE], images, presence)[0]

    def score_face(self, face: Images) -> float:
        """Return the score of one face, `{modality: uint8 (S, S, 3)}`, whose images need no check.

        For models that need every modality. Each check of an image that was checked before would cost a model
        that takes a millisecond some percent, because its weights fill the processor's caches.
        """
        scores = self._run(SCORES, {name: image[np.newaxis] for name, image in face.items()})[0]
        self._check_column(SCORE, scores, (1,))
        score: float = scores.item()
        return score

    def score_with_novelty(
        self, images: Images, presence: Presence = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the score and the distance to the training data of every face, (B,) each, as calling does.

        For models whose card has a `novelty` limit.
        """
        scores, distances = self._run_columns([SCORE, NOVELTY], images, presence)
        return scores, distances

    def outputs(self, images: Images, presence: Presence = None) -> dict[str, NDArray[np.float32]]:
        """Return all outputs by name, `score` (B,) and, of classifiers, `logits` (B, K), as calling does."""
        values = self._run(self._names, self._to_inputs(images, presence))
        return dict(zip(self._names, values, strict=True))

    def _run_columns(
        self, names: Sequence[str], images: Images, presence: Presence
    ) -> list[NDArray[np.float64]]:
        """Run the graph; raise ModelError unless each output has one number for each face."""
        inputs = self._to_inputs(images, presence)
        shape, columns = inputs[self.card.modalities[0]].shape[:1], []
        for name, values in zip(names, self._run(names, inputs), strict=True):
            self._check_column(name, values, shape)
            columns.append(values.astype(FLOAT64))
        return columns

    def _check_column(self, name: str, values: NDArray[Any], shape: tuple[int, ...]) -> None:
        if values.shape != shape or values.dtype.kind != "f":
            actual = f"its output {name!r} is {values.dtype} {values.shape}"
            raise ModelError(f"{self.path}: {actual} and should be float ({shape[0]},)")

    def _run(self, names: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the graph; its metadata may promise other inputs than it takes."""
        try:
            return self._engine.run(names, inputs)
        except FasError:
            raise
        except Exception as error:  # an engine's exceptions share no public base
            raise ModelError(f"{self.path}: cannot be run: {first_line(error)}") from error

    def _to_inputs(self, images: Images, presence: Presence) -> dict[str, NDArray[Any]]:
        pixels: dict[str, NDArray[Any]] = self._select_pixels(images) or self._check_pixels(images)
        if not self.card.input.partial:
            if presence is not None:
                raise DataError(f"{self.path}: was not trained to do without a modality; {self._expects()}")
            return pixels
        count, side = len(next(iter(pixels.values()))), self.card.input.face_size
        blank = np.zeros((count, side, side, 3), np.uint8)
        available = [name in pixels for name in self.card.modalities]
        inputs = {name: pixels.get(name, blank) for name in self.card.modalities}
        return {**inputs, PRESENCE: self._check_presence(presence, available, count)}

    def _check_presence(self, presence: Presence, available: list[bool], count: int) -> NDArray[np.bool_]:
        if presence is None:
            return np.tile(available, (count, 1))
        if presence.shape != (count, len(available)) or not presence.any(axis=1).all():
            raise DataError(
                f"{self.path}: presence must be ({count}, {len(available)}) with a modality or more in each "
                f"row; it is {presence.shape}"
            )
        if (presence & ~np.array(available)).any():
            raise DataError(f"{self.path}: presence promises a modality of which no images are given")
        return presence

    def _select_pixels(self, images: Images) -> dict[str, NDArray[np.uint8]] | None:
        """Return the model's images, with one look at each; None unless all are as they should be."""
        selected, shape = {}, None
        for name in self.card.modalities:
            pixels = images.get(name)
            if not isinstance(pixels, np.ndarray) or pixels.dtype is not UINT8:
                return None
            shape = shape or (*pixels.shape[:1], *self._shape)
            if pixels.shape != shape:
                return None
            selected[name] = pixels
        return selected

    def _check_pixels(self, images: Images) -> dict[str, NDArray[np.uint8]]:
        """Return the images that are given of the model's; raise DataError, which says what is wrong."""
        side = self.card.input.face_size
        arrays = {}
        for name in self.card.modalities:
            if name not in images:
                if self.card.input.partial:
                    continue
                raise DataError(f"{self.path}: no {name!r} images given; {self._expects()}")
            pixels = arrays[name] = np.asarray(images[name])
            if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != (side, side, 3):
                actual = f"{name!r} images are {pixels.dtype} {pixels.shape}"
                raise DataError(f"{self.path}: {actual}; {self._expects()}")
        if not arrays:
            raise DataError(f"{self.path}: no images given; {self._expects()}")
        if len({len(pixels) for pixels in arrays.values()}) > 1:
            counts = ", ".join(f"{len(pixels)} {name}" for name, pixels in arrays.items())
            raise DataError(f"{self.path}: as many images of each modality are needed, not {counts}")
        return arrays

    def _expects(self) -> str:
        side, some = self.card.input.face_size, "some of " if self.card.input.partial else ""
        return f"the model takes {some}{', '.join(self.card.modalities)}, each uint8 (B, {side}, {side}, 3)"


def _open(
    path: Path, threads: int | None, external: ExternalModel | None, trusted: bool, device: str | None
) -> tuple[Engine, Card, str]:
    """Return the engine, the card and the name of the device."""
    if is_public_model(path):
        if external is not None:
            raise ModelError(f"{path}: a public model has a description: leave yours out")
        return _open_public(path, threads, device)
    engine, name = open_engine_on(device, path, threads, trusted=trusted)
    if engine.metadata is not None:
        if external is not None:
            raise ModelError(f"{path}: has fas metadata, as `fas export` wrote it: leave the description out")
        return engine, _read_card(engine.metadata, path), name
    if external is None:
        raise ModelError(
            f"{path}: without fas metadata (modalities, size, threshold): "
            "give a model that `fas export` wrote, or describe it (fas predict --foreign)"
        )
    from fas_core.runtime.calibration_file import read_calibration
    from fas_core.runtime.external_model import ExternalEngine

    return ExternalEngine(engine, external, path), external.card.calibrate(read_calibration(path)), name


def _read_card(metadata: str, path: Path) -> Card:
    """Read the card of a file; where no runtime can write it there, its calibration lies beside the file."""
    card, runtime = read_card(metadata, str(path)), find_runtime(path)
    if runtime is None or runtime.card_writer:
        return card
    from fas_core.runtime.calibration_file import read_calibration

    stored = read_calibration(path)
    return card if stored is None else card.calibrate(stored)


def _open_public(folder: Path, threads: int | None, device: str | None) -> tuple[Engine, Card, str]:
    """Open the networks of a fetched public model; of several the score is the mean."""
    from fas_core.runtime.calibration_file import read_calibration
    from fas_core.runtime.public_engine import MeanEngine
    from fas_core.runtime.public_model import PublicModel

    model = PublicModel.read(folder)
    members = []
    for file in model.files:
        path = folder / file.stored_name
        if not file.import_options and path.is_file() and hash_file(path) != file.sha256:
            raise ModelError(f"{path}: damaged: is not what was fetched: fas models get fetches it again")
        terms = None if file.import_options else file.terms
        engine, card, name = _open(path, threads, terms, trusted=False, device=device)
        members.append((engine, evolve(card, input=evolve(card.input, crops=file.terms.crops))))
    engine, card = members[0]
    threshold = Threshold(model.threshold, f"fixed:{model.threshold:g}", "given")
    if len(members) == 1:
        return engine, evolve(card, threshold=threshold).calibrate(read_calibration(folder)), name
    joined = MeanEngine(members, folder)
    return joined, Card(joined.input, threshold).calibrate(read_calibration(folder)), name
