"""Convert plain data to recipes, and back: a component's options by the class of its descriptor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import attrs
import cattrs

from fas_core.config.augment import Augment, check_steps
from fas_core.config.choices import Kinds, from_choice, to_choice
from fas_core.config.components import AugmentationChoice, BackboneChoice, Choice
from fas_core.config.plain import build_plain_converter, structure_by, to_mapping, to_sequence
from fas_core.registry import Registry

T = TypeVar("T")

BACKBONES = BackboneChoice | dict[str, BackboneChoice]
AUGMENTATIONS = Augment | tuple[AugmentationChoice, ...]
PRETRAINED = Path | dict[str, Path] | None


def structure(
    value: object,
    cls: type[T],
    registry: Registry,
    where: str,
    *,
    absent: Kinds = (),
) -> T:
    """Convert plain data to an instance of `cls`.

    `absent` are kinds of components that need not be installed: they get `AbsentOptions`.

    Raises:
        ConfigError: values are wrong; after `where`, one line for each: its path, the rule and the value.
    """
    return structure_by(build_converter(registry, absent), value, cls, where)


def build_converter(registry: Registry, absent: Kinds = ()) -> cattrs.Converter:
    """Return a converter for both directions; `absent`: see `structure`."""
    converter = build_plain_converter()
    hook = converter.register_structure_hook
    hook(BACKBONES, lambda value, _: _to_backbones(converter, value))
    hook(AUGMENTATIONS, lambda value, _: _to_augmentations(converter, registry, value))
    hook(PRETRAINED, lambda value, _: _to_pretrained(converter, value))
    hook(Choice, lambda value, cls: to_choice(converter, registry, absent, value, cls))
    converter.register_unstructure_hook(Choice, lambda value: from_choice(converter, value))
    return converter


def _to_backbones(converter: cattrs.Converter, value: object) -> BackboneChoice | dict[str, BackboneChoice]:
    """Structure one backbone, or one for each modality."""
    if isinstance(value, Mapping) and value and "name" not in value:
        return to_mapping(converter, value, dict[str, BackboneChoice])
    return converter.structure(value, BackboneChoice)


def _to_augmentations(
    converter: cattrs.Converter, registry: Registry, value: object
) -> Augment | tuple[AugmentationChoice, ...]:
    """Structure a list of augmentations, or the numbers of the published ones."""
    if isinstance(value, Mapping):
        return converter.structure(value, Augment)
    if not isinstance(value, (list, tuple)):
        numbers = ", ".join(field.name for field in attrs.fields(Augment))
        raise ValueError(f"must be a list of augmentations, or a mapping of {numbers}: {value!r}")
    choices: tuple[AugmentationChoice, ...] = to_sequence(converter, value, tuple[AugmentationChoice, ...])
    check_steps(choices, registry)
    return choices


def _to_pretrained(converter: cattrs.Converter, value: object) -> Path | dict[str, Path] | None:
    """Structure one path, or one for each of some modalities, or None."""
    if isinstance(value, Mapping):
        return to_mapping(converter, value, dict[str, Path])
    return None if value is None else converter.structure(value, Path)
