"""What an exported file says of itself: all that is needed to use the model without the run that made it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from attrs import asdict, field, frozen

from fas_core.records.model_input import ModelInput
from fas_core.scores.thresholds import Threshold

METADATA_KEY = "fas"
"""Key of a model file's metadata that holds the card."""

PRESENCE = "presence"
"""Name of the graph's input that says which modalities a face has."""

FORMAT = 1
"""Format number of the JSON. Keys may be added; it is raised when a reader of this one would be misled."""

LABELS = {"0": "attack", "1": "live"}


def _as_stored(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Replace tuples by lists, so that a card equals what is read back from its JSON."""
    return dict(json.loads(json.dumps(recipe)))


@frozen
class Card:
    """A trained model's identity and terms of use.

    Args:
        input: what the model takes. A graph that can do without some modalities has one more input,
            `presence`: bool (B, modalities), False where a face lacks one.
        threshold: accept as live when `score >= threshold.value`; None where none was fitted.
        recipe: the whole resolved recipe, as plain data.
        data: `{split: fingerprint}` of the samples that it was trained and evaluated on.
        versions: of fas-core, torch, ...
    """

    input: ModelInput
    threshold: Threshold | None
    recipe: Mapping[str, Any] = field(factory=dict, converter=_as_stored)
    data: Mapping[str, str] = field(factory=dict)
    versions: Mapping[str, str] = field(factory=dict)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the images that the model takes, in order."""
        return self.input.modalities

    @property
    def digest(self) -> str:
        """Digest of the recipe: 16 hex digits."""
        return hashlib.sha256(json.dumps(self.recipe, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Return the text that a model file stores; `fas_core.runtime.read_card` reads it."""
        stored = {
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
            "partial": self.input.partial,
        }
        return json.dumps(stored)
