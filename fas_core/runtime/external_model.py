"""Model files that `fas export` did not write, described by hand in a YAML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import field, frozen
from attrs import validators as v
from numpy.typing import NDArray

from fas_core.card import Card
from fas_core.config.plain import structure_plain
from fas_core.config.recipe import Normalize
from fas_core.data.faces import CropSettings
from fas_core.errors import ModelError, format_list
from fas_core.records.model_input import SIDE, ModelInput, Resize, ScaledCrop, check_crops
from fas_core.runtime.engines import first_line, run_by_row
from fas_core.scores.thresholds import Threshold

if TYPE_CHECKING:
    from fas_core.contracts import Engine

Array = NDArray[Any]


def _check_normalize(_: object, attribute: Any, value: Normalize | None) -> None:
    if value is not None and value.channels != "rgb":
        raise ValueError(f"'{attribute.name}' has channels: move the key up beside {attribute.name}")


@frozen
class ExternalModel:
    """Description of a model file without fas metadata.

    Args:
        modalities: of the graph's inputs, in their order.
        input_size: H and W in pixels.
        normalize: mean and standard deviation, for pixels in [0, 1]; the graph then takes float32
            (B, 3, H, W). None: it takes uint8 (B, H, W, 3).
        channels: their order in the graph's inputs.
        resize: how a face image is resized to the input.
        output: name of the graph's output; may be omitted where the graph has a single one.
        gives: meaning of the output: `score`, (B,) or (B, 1), higher is more live; or of K classes, (B, K),
            the `logits` or `probabilities`, where the score is the probability of the class `live`.
        live: index of the class `live`.
        threshold: accepted as live when `score >= threshold`.
        crop: how photos are cropped to the face for this model.
        crops: the crop of each modality, if it was trained on multiples of a detector's box; in place of
            `crop` and `resize`.
    """

    modalities: tuple[str, ...] = field(validator=v.min_len(1))
    input_size: int = field(validator=SIDE)
    normalize: Normalize | None = field(default=None, validator=_check_normalize)
    channels: Literal["rgb", "bgr"] = "rgb"
    resize: Resize = field(factory=lambda: Resize(crop=1.0))
    output: str | None = None
    gives: Literal["score", "logits", "probabilities"] = "score"
    live: int = field(default=1, validator=v.ge(0))
    threshold: float | None = None
    crop: CropSettings = field(factory=CropSettings)
    crops: dict[str, ScaledCrop] = field(factory=dict, validator=check_crops)

    @classmethod
    def read(cls, path: Path) -> ExternalModel:
        """Read a YAML file with these keys; raise ConfigError if it cannot be read or is not valid."""
        from fas_core.yaml_files import read_yaml

        return structure_plain(read_yaml(path), cls, str(path))

    @property
    def card(self) -> Card:
        value = self.threshold
        threshold = None if value is None else Threshold(value, f"fixed:{value:g}", "given")
        return Card(
            ModelInput(self.modalities, self.input_size, resize=self.resize, crops=self.crops), threshold
        )


class ExternalEngine:
    """Runs such a model with the interface of an exported one: uint8 (B, H, W, 3) by modality -> `score`.

    Raises ModelError if the graph does not fit the description: its inputs are counted, and it is run once.
    """

    metadata: str | None = None
    outputs: tuple[str, ...] = ("score",)

    def __init__(self, engine: Engine, model: ExternalModel, path: Path) -> None:
        self._engine, self._model, self._path = engine, model, path
        self.inputs = model.modalities
        if len(engine.inputs) != len(model.modalities):
            raise ModelError(
                f"{path}: has the inputs {format_list(engine.inputs)}, "
                f"not one for each of the modalities {format_list(model.modalities)}"
            )
        self._output = self._select_output()
        self._score_blank(1)
        self._takes_batches = self._check_batches()

    def run(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        if self._takes_batches:
            score = self._score(inputs)
        else:
            (score,) = run_by_row(lambda row: [self._score(row)], inputs)
        return [score for _ in names]

    def _select_output(self) -> str:
        outputs, output = self._engine.outputs, self._model.output
        if output is None and len(outputs) == 1:
            return outputs[0]
        if output not in outputs:
            names = format_list(outputs)
            raise ModelError(f"{self._path}: has the outputs {names}: set `output` to one of them")
        return output

    def _score_blank(self, count: int) -> Array:
        shape = (count, self._model.input_size, self._model.input_size, 3)
        return self._score({name: np.zeros(shape, np.uint8) for name in self.inputs})

    def _check_batches(self) -> bool:
        """Whether the graph takes batches; many take one image at a time."""
        try:
            return len(self._score_blank(2)) == 2
        except ModelError:
            return False

    def _score(self, inputs: Mapping[str, Array]) -> Array:
        """(B,) scores of one call of the graph."""
        images = (self._to_network_input(inputs[name]) for name in self.inputs)
        try:
            (output,) = self._engine.run([self._output], dict(zip(self._engine.inputs, images, strict=True)))
        except Exception as error:  # an engine's exceptions share no public base
            reason = first_line(error)
            problem = f"{self._path}: cannot be run with the input that is described: {reason}"
            raise ModelError(problem) from error
        return self._to_score(np.asarray(output, np.float32))

    def _to_network_input(self, pixels: Array) -> Array:
        normalize = self._model.normalize
        if normalize is not None:
            mean, std = np.array(normalize.mean, np.float32), np.array(normalize.std, np.float32)
            pixels = (pixels / np.float32(255) - mean) / std
        if self._model.channels == "bgr":
            pixels = pixels[..., ::-1]
        return np.ascontiguousarray(pixels if normalize is None else pixels.transpose(0, 3, 1, 2))

    def _to_score(self, output: Array) -> Array:
        model = self._model
        if model.gives == "score" and output.ndim and output.size == len(output):
            return output.reshape(-1)
        if model.gives == "score" or output.ndim != 2 or model.live >= output.shape[1]:
            raise ModelError(
                f"{self._path}: output {self._output} has the shape {output.shape}, not that of {model.gives}"
                + ("" if model.gives == "score" else f" with a class {model.live}")
            )
        if model.gives == "logits":
            output = np.exp(output - output.max(axis=1, keepdims=True))
            output = output / output.sum(axis=1, keepdims=True)
        return np.asarray(output[:, model.live])
