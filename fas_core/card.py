"""What travels with a model: all that is needed to use it without the run that made it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from attrs import asdict, field, frozen

from fas_core.config import Resize
from fas_core.errors import ModelError
from fas_core.thresholds import Threshold

LABELS = {"0": "attack", "1": "live"}


@frozen
class Card:
    """A trained model's identity and terms of use.

    Args:
        modalities: inputs in order, each uint8 (B, H, W, 3) RGB.
        input_size: H and W in pixels.
        resize: how a face image becomes an input.
        threshold: accept as live when `score >= threshold.value`; None where none was fitted.
        recipe: the whole resolved recipe, as plain data.
        data: `{split: fingerprint}` of the samples it was trained and judged on.
        versions: of fas-core, torch, ...
    """

    modalities: tuple[str, ...]
    input_size: int
    resize: Resize
    threshold: Threshold | None
    recipe: Mapping[str, Any] = field(factory=dict)
    data: Mapping[str, str] = field(factory=dict)
    versions: Mapping[str, str] = field(factory=dict)

    @property
    def digest(self) -> str:
        """Of the recipe: 16 hex digits."""
        return hashlib.sha256(json.dumps(self.recipe, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """As it is stored in a model file."""
        return json.dumps({**asdict(self), "labels": LABELS, "recipe_digest": self.digest})

    @classmethod
    def from_json(cls, text: str, where: str) -> Card:
        """Back from `to_json`.

        Raises:
            ModelError: the text is not such a card.
        """
        try:
            found = json.loads(text)
            threshold = found["threshold"]
            return cls(
                modalities=tuple(found["modalities"]),
                input_size=int(found["input_size"]),
                resize=Resize(**found["resize"]),
                threshold=None if threshold is None else Threshold(**threshold),
                recipe=found["recipe"],
                data=found["data"],
                versions=found["versions"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{where}: its fas metadata cannot be read: {error}") from error
