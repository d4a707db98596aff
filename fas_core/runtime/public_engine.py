"""The networks of a fetched public model as one engine, whose score is the mean of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from fas_core.card import Card
from fas_core.errors import ModelError
from fas_core.records.model_input import ModelInput, ScaledCrop

if TYPE_CHECKING:
    from fas_core.contracts import Engine

Array = NDArray[Any]


class MeanEngine:
    """Runs several networks of the same face size on crops of one photo each, and averages their scores.

    The inputs are those of `join_inputs`.

    Args:
        members: each network with its card; none can do without a modality.
    """

    metadata: str | None = None
    outputs: tuple[str, ...] = ("score",)

    def __init__(self, members: Sequence[tuple[Engine, Card]], path: Path) -> None:
        self.input = join_inputs([card.input for _, card in members], path)
        self.inputs = self.input.modalities
        self._members = members

    def run(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        scores = []
        for index, (engine, card) in enumerate(self._members):
            images = {name: inputs[name_input(name, index)] for name in card.modalities}
            (score,) = engine.run(["score"], images)
            scores.append(score)
        score = np.mean(scores, axis=0)
        return [score for _ in names]


def name_input(modality: str, index: int) -> str:
    """Return the name of a modality of the network at `index` among several: `rgb`, `rgb_2`, `rgb_3`, ..."""
    return modality if index == 0 else f"{modality}_{index + 1}"


def join_inputs(inputs: Sequence[ModelInput], path: Path) -> ModelInput:
    """Return the input of several networks that are run side by side: a modality for each input of each.

    Raises:
        ModelError: the networks' face sizes differ, or one does not state its crops.
    """
    if len({item.face_size for item in inputs}) > 1:
        raise ModelError(f"{path}: its networks take faces of different sizes")
    if not all(item.crops for item in inputs):
        raise ModelError(f"{path}: every network of several must state its `crops`")
    crops: dict[str, ScaledCrop] = {}
    for index, item in enumerate(inputs):
        for name in item.modalities:
            crops[name_input(name, index)] = evolve(item.crops[name], photo=item.photo(name))
    return ModelInput(tuple(crops), inputs[0].face_size, crops=crops)
