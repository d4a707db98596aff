"""Reading the card in a model file: `Card.to_json` writes it, and a damaged one is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from attrs import field, fields_dict, frozen
from attrs import validators as v

from fas_core.card import FORMAT, Card
from fas_core.config.plain import structure_plain
from fas_core.errors import ConfigError, ModelError
from fas_core.records.model_input import SIDE, ModelInput, Resize, ScaledCrop, check_crops
from fas_core.records.novelty import NoveltyLimit
from fas_core.scores.calibration import LEVELS, Calibration, ScoreReference
from fas_core.scores.thresholds import Threshold


def _check_modalities(_: object, __: object, names: tuple[str, ...]) -> None:
    if not names or len(set(names)) < len(names) or "" in names:
        raise ValueError(f"must be one name or more, each different: {list(names)!r}")


def _check_threshold(_: object, __: object, threshold: Threshold | None) -> None:
    if threshold is not None and not isfinite(threshold.value):
        raise ValueError(f"must be a finite number: {threshold.value}")


def _check_reference(_: object, __: object, reference: ScoreReference | None) -> None:
    if reference is not None and not len(reference.live) == len(reference.attack) == len(LEVELS):
        raise ValueError(f"must have {len(LEVELS)} quantiles of live scores, and of attacks")


@frozen
class _StoredCard:
    """The keys of a card's JSON, all but those that are derived from others."""

    modalities: tuple[str, ...] = field(validator=_check_modalities)
    input_size: int = field(validator=SIDE)
    resize: Resize
    threshold: Threshold | None = field(validator=_check_threshold)
    network_size: int | None = field(default=None, validator=v.optional(SIDE))  # files of fas 0.1.0 lack it
    recipe: Mapping[str, Any] = field(factory=dict)
    data: Mapping[str, str] = field(factory=dict)
    versions: Mapping[str, str] = field(factory=dict)
    plugins: Mapping[str, Any] = field(factory=dict)
    partial: bool = False
    crops: dict[str, ScaledCrop] = field(factory=dict, validator=check_crops)
    reference: ScoreReference | None = field(default=None, validator=_check_reference)
    calibration: Calibration | None = None
    novelty: NoveltyLimit | None = None
    threshold_note: str = ""


def read_card(text: str, where: str) -> Card:
    """Return the card that `Card.to_json` wrote; keys that a later fas added are passed over.

    Raises ModelError, which names `where`, if the text is no card, or its format is newer than this fas.
    """
    unreadable = f"{where}: its fas metadata cannot be read"
    try:
        return _read_card(text, where, unreadable)
    except RecursionError as error:
        raise ModelError(f"{unreadable}: nested too deeply") from error


def _read_card(text: str, where: str, unreadable: str) -> Card:
    try:
        tree = json.loads(text)
        json.dumps(tree, ensure_ascii=False).encode()  # escapes may hide what is no text
    except ValueError as error:
        raise ModelError(f"{unreadable}: not JSON: {error}") from error
    if not isinstance(tree, dict) or not isinstance(tree.get("format"), int):
        raise ModelError(f"{unreadable}: it has no format number")
    if tree["format"] > FORMAT:
        raise ModelError(f"{where}: written by a newer fas (format {tree['format']}): upgrade fas-core")
    known = {name: tree[name] for name in fields_dict(_StoredCard) if name in tree}
    try:
        stored = structure_plain(known, _StoredCard, unreadable)
    except ConfigError as error:
        raise ModelError("; ".join((error.message, *error.problems))) from error
    side = stored.input_size
    network_size = stored.network_size or side
    model_input = ModelInput(
        stored.modalities, side, network_size, stored.resize, stored.partial, stored.crops
    )
    return Card(
        input=model_input,
        threshold=stored.threshold,
        recipe=stored.recipe,
        data=stored.data,
        versions=stored.versions,
        plugins=stored.plugins,
        reference=stored.reference,
        calibration=stored.calibration,
        novelty=stored.novelty,
        threshold_note=stored.threshold_note,
    )
