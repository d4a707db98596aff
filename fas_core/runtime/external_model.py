"""ONNX models that `fas export` did not write: what they take and give is said by hand, in a YAML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from attrs import field, frozen
from attrs import validators as v
from numpy.typing import NDArray

from fas_core.card import Card
from fas_core.config.recipe import Normalize
from fas_core.config.structure import structure
from fas_core.errors import ConfigError, ModelError, format_list
from fas_core.records.model_input import ModelInput, Resize
from fas_core.registry import Registry
from fas_core.runtime.engines import Engine
from fas_core.scores.thresholds import Threshold

Array = NDArray[Any]


@frozen
class ExternalModel:
    """What a model is that does not say so itself.

    Args:
        modalities: of the graph's inputs, in their order.
        input_size: H and W in pixels.
        normalize: mean and standard deviation, for pixels in [0, 1]; the graph then takes float32
            (B, 3, H, W). None: it takes uint8 (B, H, W, 3).
        channels: their order in the graph's inputs.
        resize: how a face becomes an input.
        output: what is taken from the graph; may be left out where it gives one thing only.
        gives: `score`, (B,) or (B, 1), higher is more live; or of K classes, (B, K), the `logits` or
            `probabilities`, where the score is the probability of the class `live`.
        live: that class's index.
        threshold: accepted as live when `score >= threshold`.
    """

    modalities: tuple[str, ...] = field(validator=v.min_len(1))
    input_size: int = field(validator=v.ge(1))
    normalize: Normalize | None = None
    channels: Literal["rgb", "bgr"] = "rgb"
    resize: Resize = field(factory=lambda: Resize(crop=1.0))
    output: str | None = None
    gives: Literal["score", "logits", "probabilities"] = "score"
    live: int = field(default=1, validator=v.ge(0))
    threshold: float | None = None

    @classmethod
    def read(cls, path: Path) -> ExternalModel:
        """From a YAML file with these keys.

        Raises:
            ConfigError: there is no such file, or it does not say this.
        """
        import yaml

        try:
            tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not a YAML file") from error
        return structure(tree, cls, Registry(()), str(path))

    @property
    def card(self) -> Card:
        value = self.threshold
        cut = None if value is None else Threshold(value, f"fixed:{value:g}", "given")
        return Card(ModelInput(self.modalities, self.input_size, resize=self.resize), cut)


class ExternalEngine:
    """Such a model as if it were one of ours: uint8 (B, H, W, 3) by modality in, `score` out.

    Args:
        engine: the file's own.
        terms: what it is.
        path: for messages.

    Raises:
        ModelError: the graph is not what the terms say: its inputs are counted, and it is run once.
    """

    metadata: str | None = None
    outputs: tuple[str, ...] = ("score",)

    def __init__(self, engine: Engine, terms: ExternalModel, path: Path) -> None:
        self._engine, self._terms, self._path = engine, terms, path
        self.kind, self.inputs = engine.kind, terms.modalities
        if len(engine.inputs) != len(terms.modalities):
            takes, said = format_list(engine.inputs), format_list(terms.modalities)
            raise ModelError(f"{path}: takes {takes}, which are not as many as the modalities {said}")
        self._output = self._chosen()
        self._once(self._blank(1))
        self._one_by_one = not self._takes_two()

    def run(self, names: Sequence[str], given: Mapping[str, Array]) -> list[Array]:
        count = len(next(iter(given.values())))
        if self._one_by_one and count != 1:
            rows = [
                self._once({name: each[row : row + 1] for name, each in given.items()})
                for row in range(count)
            ]
            score = np.concatenate([np.zeros(0, np.float32), *rows])
        else:
            score = self._once(given)
        return [score for _ in names]

    def _once(self, given: Mapping[str, Array]) -> Array:
        fed = zip(self._engine.inputs, (self._fed(given[name]) for name in self.inputs), strict=True)
        try:
            (found,) = self._engine.run([self._output], dict(fed))
        except Exception as error:  # an engine's exceptions share no public base
            reason = str(error).splitlines()[0]
            raise ModelError(f"{self._path}: does not take such input: {reason}") from error
        return self._score(np.asarray(found, np.float32))

    def _blank(self, count: int) -> dict[str, Array]:
        side = self._terms.input_size
        return {name: np.zeros((count, side, side, 3), np.uint8) for name in self.inputs}

    def _takes_two(self) -> bool:
        """Whether it takes batches: many are written for one image at a time."""
        try:
            return len(self._once(self._blank(2))) == 2
        except ModelError:
            return False

    def _chosen(self) -> str:
        known, wanted = self._engine.outputs, self._terms.output
        if wanted is None and len(known) == 1:
            return known[0]
        if wanted not in known:
            raise ModelError(
                f"{self._path}: gives {format_list(known)}: say by `output` which of them is meant"
            )
        return wanted

    def _fed(self, pixels: Array) -> Array:
        terms = self._terms
        if terms.normalize is not None:
            mean, std = (np.array(each, np.float32) for each in (terms.normalize.mean, terms.normalize.std))
            pixels = ((pixels / np.float32(255) - mean) / std).transpose(0, 3, 1, 2)
        axis = -1 if terms.normalize is None else 1
        return np.ascontiguousarray(pixels if terms.channels == "rgb" else np.flip(pixels, axis))

    def _score(self, found: Array) -> Array:
        terms = self._terms
        if terms.gives == "score" and found.ndim and found.size == len(found):
            return found.reshape(-1)
        if terms.gives == "score" or found.ndim != 2 or terms.live >= found.shape[1]:
            raise ModelError(
                f"{self._path}: {self._output} is {found.shape}, and not {terms.gives}"
                + ("" if terms.gives == "score" else f" with a class {terms.live}")
            )
        if terms.gives == "logits":
            found = np.exp(found - found.max(axis=1, keepdims=True))
            found = found / found.sum(axis=1, keepdims=True)
        return np.asarray(found[:, terms.live])
