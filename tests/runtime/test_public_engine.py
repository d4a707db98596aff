"""Several networks of a public model as one engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fas_core import ModelError, ModelInput
from fas_core.card import Card
from fas_core.records.model_input import ScaledCrop
from fas_core.runtime.public_engine import MeanEngine, join_inputs

PATH = Path("pair")


class Mean:
    """An engine whose score is the mean of its only input."""

    kind, metadata, inputs, outputs = "ONNX", None, ("rgb",), ("score",)

    def run(self, names: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
        (images,) = inputs.values()
        return [images.mean(axis=(1, 2, 3))]


def model_input(scale: float, size: int = 4, photo: str | None = None) -> ModelInput:
    return ModelInput(("rgb",), size, crops={"rgb": ScaledCrop(scale, photo=photo)})


def test_inputs_are_crops_of_one_photo() -> None:
    joined = join_inputs([model_input(2.7), model_input(4, photo="rgb"), model_input(1)], PATH)
    assert joined.modalities == ("rgb", "rgb_2", "rgb_3")
    assert [crop.scale for crop in joined.crops.values()] == [2.7, 4, 1]
    assert joined.photos == ("rgb",)


def test_networks_that_cannot_be_joined_are_refused() -> None:
    with pytest.raises(ModelError, match="pair: its networks take faces of different sizes"):
        join_inputs([model_input(2), model_input(2, size=5)], PATH)
    with pytest.raises(ModelError, match="every network of several must state its `crops`"):
        join_inputs([model_input(2), ModelInput(("rgb",), 4)], PATH)


def test_the_score_is_the_mean_of_the_networks() -> None:
    engine = MeanEngine([(Mean(), Card(model_input(scale), None)) for scale in (2, 3)], PATH)
    images = {name: np.full((2, 4, 4, 3), value) for name, value in zip(engine.inputs, (1, 4), strict=True)}
    (score,) = engine.run(["score"], images)
    assert score.tolist() == [2.5, 2.5]
