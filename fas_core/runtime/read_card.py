"""Reading the card that `fas export` stored in a model file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, fields_dict, frozen

from fas_core.card import FORMAT, Card
from fas_core.config.structure import structure
from fas_core.errors import ConfigError, ModelError
from fas_core.records.model_input import ModelInput, Resize
from fas_core.registry import Registry
from fas_core.scores.thresholds import Threshold


@frozen
class _StoredCard:
    """The keys of a card's JSON, all but those that are derived from others."""

    modalities: tuple[str, ...]
    input_size: int
    resize: Resize
    threshold: Threshold | None
    network_size: int | None = None  # files of fas 0.1.0 lack it
    recipe: Mapping[str, Any] = field(factory=dict)
    data: Mapping[str, str] = field(factory=dict)
    versions: Mapping[str, str] = field(factory=dict)
    partial: bool = False


def read_card(text: str, where: str) -> Card:
    """Return the card that `Card.to_json` wrote; keys that a later fas added are passed over.

    Args:
        text: the JSON.
        where: the file, for messages.

    Raises:
        ModelError: the text is not such a card, or its format is newer than this fas.
    """
    unreadable = f"{where}: its fas metadata cannot be read"
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise ModelError(f"{unreadable}: not JSON: {error}") from error
    if not isinstance(tree, dict) or not isinstance(tree.get("format"), int):
        raise ModelError(f"{unreadable}: it has no format number")
    if tree["format"] > FORMAT:
        raise ModelError(f"{where}: written by a newer fas (format {tree['format']}): upgrade fas-core")
    known = {name: tree[name] for name in fields_dict(_StoredCard) if name in tree}
    try:
        stored = structure(known, _StoredCard, Registry(()), unreadable)
    except ConfigError as error:
        raise ModelError("; ".join((error.message, *error.problems))) from error
    model_input = ModelInput(
        modalities=stored.modalities,
        face_size=stored.input_size,
        network_size=stored.network_size or stored.input_size,
        resize=stored.resize,
        partial=stored.partial,
    )
    return Card(model_input, stored.threshold, stored.recipe, stored.data, stored.versions)
