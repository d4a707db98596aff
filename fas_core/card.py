"""What travels with a model: all that is needed to use it without the run that made it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from attrs import asdict, field, fields_dict, frozen

from fas_core.config.recipe import Resize
from fas_core.config.structure import structure
from fas_core.errors import ConfigError, ModelError
from fas_core.registry import Registry
from fas_core.scores.thresholds import Threshold

METADATA_KEY = "fas"
"""Under which key a model file's metadata holds the card."""

PRESENCE = "presence"
"""The graph's input that says which modalities are there."""

FORMAT = 1
"""Of the JSON. Keys may be added; it is raised when a reader of the last one would be misled."""

LABELS = {"0": "attack", "1": "live"}


def _as_stored(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """With lists for tuples, so that a card equals what is read back of it."""
    return dict(json.loads(json.dumps(recipe)))


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
        partial: whether it can do without some modalities; the graph then has one more input, `presence`:
            bool (B, modalities), False where one is missing.
    """

    modalities: tuple[str, ...]
    input_size: int
    resize: Resize
    threshold: Threshold | None
    recipe: Mapping[str, Any] = field(factory=dict, converter=_as_stored)
    data: Mapping[str, str] = field(factory=dict)
    versions: Mapping[str, str] = field(factory=dict)
    partial: bool = False

    @property
    def digest(self) -> str:
        """Of the recipe: 16 hex digits."""
        return hashlib.sha256(json.dumps(self.recipe, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """As it is stored in a model file: the fields, what the labels mean, and the recipe's digest."""
        derived = {"format": FORMAT, "labels": LABELS, "recipe_digest": self.digest}
        return json.dumps(derived | asdict(self))

    @classmethod
    def from_json(cls, text: str, where: str) -> Card:
        """Back from `to_json`; keys that a later fas added are passed over.

        Args:
            where: the file, for messages.

        Raises:
            ModelError: the text is not such a card, or its format is newer than this fas.
        """
        unreadable = f"{where}: its fas metadata cannot be read"
        try:
            found = json.loads(text)
        except ValueError as error:
            raise ModelError(f"{unreadable}: not JSON: {error}") from error
        if not isinstance(found, dict) or not isinstance(found.get("format"), int):
            raise ModelError(f"{unreadable}: it has no format number")
        if found["format"] > FORMAT:
            raise ModelError(f"{where}: written by a newer fas (format {found['format']}): upgrade fas-core")
        known = {name: found[name] for name in fields_dict(cls) if name in found}
        try:
            return structure(known, cls, Registry(()), unreadable)
        except ConfigError as error:
            raise ModelError("; ".join((error.message, *error.problems))) from error
