"""Results of scoring: the prediction for a face, and the row of a face in a table of results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from fas_core.data.images import Box


@frozen
class Prediction:
    """A model's decision on one face.

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


@frozen
class FaceResult:
    """The result for one face, or for an input without one.

    Args:
        name: the input's name; followed by `#2` and so on for its second and further faces.
        images: `{modality: file}` of the input.
        box: the face as x, y, w, h in pixels of the first image; None for the whole image.
        prediction: None where no face was scored.
        reason: why no face was scored.
        picture: file of the explanation; None where none was requested.
    """

    name: str
    images: Mapping[str, str]
    box: Box | None
    prediction: Prediction | None
    reason: str = ""
    picture: Path | None = None

    def to_json(self) -> dict[str, Any]:
        prediction = self.prediction
        return {
            "input": self.name,
            "images": dict(self.images),
            "box": None if self.box is None else [round(value, 1) for value in self.box],
            "score": None if prediction is None else prediction.score,
            "verdict": None if prediction is None else prediction.verdict,
            "reason": self.reason or None,
        }
