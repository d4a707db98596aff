"""Where a recipe chooses a component of a kind, and a recipe that does."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs

from fas_core.component import Component
from fas_core.config.components import Choice
from fas_core.config.load import to_yaml
from fas_core.config.option_docs import list_defaults
from fas_core.config.recipe import Recipe
from fas_core.descriptors import Dataset
from fas_core.registry import Registry


def write_example(component: Component, registry: Registry) -> str:
    """Return a recipe that chooses a component with its default options; empty if recipes choose none such.

    An option without a default is left out, for no value is right for it.
    """
    root = {"root": "FOLDER"} if isinstance(component, Dataset) and not component.makes else {}
    chosen = {"name": registry.name_of(component), **root, **list_defaults(component, registry)}
    for keys, choice, several in _list_choices(Recipe):
        if choice.component is type(component):
            tree: Any = [chosen] if several else chosen
            for key in reversed(keys):
                tree = {key: tree}
            return to_yaml(tree).rstrip()
    return ""


def _list_choices(
    section: type[Any], keys: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any, bool]]:
    """Yield the keys of each choice below a section, its class, and whether it is a list of them."""
    hints = get_type_hints(section)
    for item in attrs.fields(section):
        for kind, several in _list_alternatives(hints[item.name]):
            if issubclass(kind, Choice):
                yield (*keys, item.name), kind, several
            elif attrs.has(kind):
                yield from _list_choices(kind, (*keys, item.name))


def _list_alternatives(kind: Any, several: bool = False) -> Iterator[tuple[type[Any], bool]]:
    """Yield the classes that a value may be of, and whether it is a list of them."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType, tuple):
        for argument in get_args(kind):
            yield from _list_alternatives(argument, several or origin is tuple)
    elif isinstance(kind, type) and origin is None:
        yield kind, several
