"""Convert components chosen by name, with their options, from plain data and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import cattrs

from fas_core.component import Component
from fas_core.config.components import AbsentOptions, Choice, MetricChoice
from fas_core.config.problems import InvalidValueError, Problems, collect_problems
from fas_core.errors import PluginError
from fas_core.registry import Registry

Kinds = tuple[type[Component], ...]


def to_choice(
    converter: cattrs.Converter, registry: Registry, absent: Kinds, value: object, cls: type[Choice]
) -> Choice:
    """Structure a component's name, `focal`, or its name and options, `{name: focal, gamma: 2}`.

    `absent`: see `fas_core.config.structure.structure`.
    """
    tree = {"name": value} if isinstance(value, str) else value
    if not isinstance(tree, Mapping) or not isinstance(tree.get("name"), str):
        kind = cls.component.kind
        article = "an" if kind[0] in "aeiou" else "a"
        raise ValueError(f"must name {article} {kind}, as NAME or {{name: NAME, ...}}: {value!r}")
    options = {key: item for key, item in tree.items() if key != "name"}
    problems: Problems = []
    arguments: dict[str, Any] = {"name": tree["name"]}
    for name, kind in cls.common_options().items():
        if name in options:
            with collect_problems(problems, name):
                arguments[name] = converter.structure(options.pop(name), kind)
    with collect_problems(problems, ""):
        arguments["options"] = _to_options(converter, registry, absent, cls, tree["name"], options)
    if problems:
        raise InvalidValueError(problems)
    return cls(**arguments)


def _to_options(
    converter: cattrs.Converter,
    registry: Registry,
    absent: Kinds,
    cls: type[Choice],
    name: str,
    options: dict[str, Any],
) -> Any:
    """Structure the options of a component; those of an absent one stay as they are.

    A metric of a run whose options do not fit its plugin any more counts as absent.
    """
    try:
        component = registry.find(cls.component, name)
    except PluginError as error:
        if not issubclass(cls.component, absent):
            raise InvalidValueError([("name", error.message)]) from error
        return AbsentOptions(options, error.message)
    try:
        return converter.structure(options, component.options)
    except (ValueError, TypeError) as error:
        if not (cls is MetricChoice and Component in absent):
            raise
        return AbsentOptions(options, f"{component}: its options do not fit any more: {error}")
    except Exception:
        with component.naming_failures():
            raise


def from_choice(converter: cattrs.Converter, choice: Choice) -> dict[str, Any]:
    """Return a choice as plain data."""
    absent = isinstance(choice.options, AbsentOptions)
    options = dict(choice.options.values) if absent else converter.unstructure(choice.options)
    plain = {"name": choice.name, **options}
    for name in choice.common_options():
        value = getattr(choice, name)
        if value != getattr(attrs.fields(type(choice)), name).default:
            plain[name] = converter.unstructure(value)
    return plain
