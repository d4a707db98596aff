"""The card in an exported file: all that is needed to use the model without its run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from attrs import asdict, field, frozen

from fas_core.records.model_input import ModelInput
from fas_core.scores.thresholds import Threshold

METADATA_KEY = "fas"
"""Key of the card in a model file's metadata."""

PRESENCE = "presence"
"""Name of the graph's input for the modalities that a face has."""

FORMAT = 1
"""Format of the JSON. Adding keys does not change it; a change that older readers would misread does."""

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
        plugins: those of other distributions that the recipe uses, see `fas_core.registry.Required`.
        threshold_note: whether the threshold of training is recommended, and why; empty where not known.
    """

    input: ModelInput
    threshold: Threshold | None
    recipe: Mapping[str, Any] = field(factory=dict, converter=_to_plain)
    data: Mapping[str, str] = field(factory=dict)
    versions: Mapping[str, str] = field(factory=dict)
    plugins: Mapping[str, Mapping[str, Any]] = field(factory=dict, converter=_to_plain)
    threshold_note: str = ""

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the images that the model takes, in order."""
        return self.input.modalities

    @property
    def digest(self) -> str:
        """Digest of the recipe: 16 hex digits."""
        return hashlib.sha256(json.dumps(self.recipe, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Return the text that a model file stores; `fas_core.runtime.model_file` reads it."""
        card = {
            "format": FORMAT,
            "labels": LABELS,
            "recipe_digest": self.digest,
            "modalities": self.input.modalities,
            "input_size": self.input.face_size,
            "network_size": self.input.network_size,
            "resize": asdict(self.input.resize),
            "threshold": None if self.threshold is None else asdict(self.threshold),
            "recipe": self.recipe,
            "data": self.data,
            "versions": self.versions,
            "plugins": self.plugins,
            "partial": self.input.partial,
            "threshold_note": self.threshold_note,
        }
        return json.dumps(card)
