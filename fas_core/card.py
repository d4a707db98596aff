"""The card in an exported file: all that is needed to use the model without its run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from attrs import asdict, evolve, field, frozen

from fas_core.records.model_input import ModelInput
from fas_core.records.novelty import NoveltyLimit
from fas_core.scores.calibration import Calibration, ScoreReference
from fas_core.scores.thresholds import Threshold

METADATA_KEY = "fas"
"""Key of the card in a model file's metadata."""

PRESENCE = "presence"
"""Name of the graph's input for the modalities that a face has."""

FORMAT = 2
"""Newest format of the JSON. Adding keys does not change it; a change that older readers would misread does.

1: the images are face crops. 2: the card states `crops`, without which a model is given other pixels.
"""

LABELS = {"0": "attack", "1": "live"}


def _to_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace tuples by lists, so that a card equals the card read from its JSON."""
    return dict(json.loads(json.dumps(values)))


@frozen
class Card:
    """What a trained model takes, when it accepts a face, and where it comes from.

    Args:
        input: what the model takes. A graph for faces with missing modalities has one more input,
            `presence`: bool (B, modalities), False where a modality is missing.
        threshold: accept as live when `score >= threshold.value`; None if none was fitted.
        recipe: the whole resolved recipe, as plain data.
        data: `{split: fingerprint}` of the samples that it was trained and evaluated on.
        versions: `{package: version}`.
        novelty: when a face is unlike the training data; None where the model does not tell.
        plugins: those of other distributions that the recipe uses, see `fas_core.registry.Required`.
        reference: a summary of the scores that the threshold was fitted on; None where it is not known.
        calibration: how the threshold was set where the model is used; None for the threshold of training.
        threshold_note: whether the threshold of training is recommended, and why; empty where not known.
    """

    input: ModelInput
    threshold: Threshold | None
    recipe: Mapping[str, Any] = field(factory=dict, converter=_to_plain)
    data: Mapping[str, str] = field(factory=dict)
    versions: Mapping[str, str] = field(factory=dict)
    plugins: Mapping[str, Mapping[str, Any]] = field(factory=dict, converter=_to_plain)
    reference: ScoreReference | None = None
    calibration: Calibration | None = None
    novelty: NoveltyLimit | None = None
    threshold_note: str = ""

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the images that the model takes, in order."""
        return self.input.modalities

    @property
    def digest(self) -> str:
        """Digest of the recipe: 16 hex digits."""
        return hashlib.sha256(json.dumps(self.recipe, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def shipped_threshold(self) -> Threshold | None:
        """The threshold before any calibration."""
        return self.threshold if self.calibration is None else self.calibration.shipped

    def calibrate(self, calibration: Calibration | None) -> Card:
        """Return the card with the threshold of a calibration; None restores the shipped one."""
        threshold = self.shipped_threshold if calibration is None else calibration.threshold
        return evolve(self, threshold=threshold, calibration=calibration)

    def to_json(self) -> str:
        """Return the text that a model file stores; `fas_core.runtime.stored_card` reads it."""
        card = {
            "format": FORMAT if self.input.crops else 1,
            "labels": LABELS,
            "recipe_digest": self.digest,
            "modalities": self.input.modalities,
            "input_size": self.input.face_size,
            "network_size": self.input.network_size,
            "resize": asdict(self.input.resize),
            "threshold": None if self.threshold is None else self.threshold.to_json(),
            "recipe": self.recipe,
            "data": self.data,
            "versions": self.versions,
            "plugins": self.plugins,
            "partial": self.input.partial,
            "reference": None if self.reference is None else asdict(self.reference),
            "calibration": None if self.calibration is None else asdict(self.calibration),
            **({} if self.novelty is None else {"novelty": self.novelty.to_json()}),
            "threshold_note": self.threshold_note,
        }
        if self.input.crops:
            card["crops"] = {name: asdict(crop) for name, crop in self.input.crops.items()}
        return json.dumps(card)
