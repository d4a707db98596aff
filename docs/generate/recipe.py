"""The page of a recipe's keys, from its attrs classes."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from fas_core.config.components import Choice
from fas_core.config.option_docs import OptionDoc, describe_class
from fas_core.config.plain import SECTION
from fas_core.config.recipe import Recipe
from fas_core.registry import registry
from generate.markdown import escape, write_option

INTRODUCTION = """# Keys of a recipe

Every key of a recipe, with its type, default and rule, made from the classes that check them. A recipe
file gives the keys that it changes; `--set KEY=VALUE` changes one on the command line, e.g. `--set
train.lr=0.02`. [Recipes](../recipes.md) says how they are used, and [components](components.md) which
names `data`, `loss` and the like take, with the options of each. `fas config show` prints a recipe with
all its values, `fas config schema` this page as JSON schema, for editors.

A recipe may also have `extends`, the name or file of the recipe that it changes, and `format`, a number
that `fas` writes.
"""


def write_recipe_page() -> str:
    """Return the page: the keys of the recipe itself, then each section, then what has further keys."""
    texts = [INTRODUCTION]
    for keys, cls in _walk(Recipe, ()):
        title = f"`{'.'.join(keys)}`" if keys else "The recipe"
        texts.append("\n\n".join(filter(None, (f"## {title}", _write_summary(cls), _write_keys(cls, keys)))))
    return "\n".join(texts)


def list_keys() -> list[str]:
    """Return every key that the page lists."""
    return [".".join((*keys, item.name)) for keys, cls in _walk(Recipe, ()) for item in attrs.fields(cls)]


def _walk(cls: type[Any], keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], type[Any]]]:
    """Yield every attrs class of the tree with the keys that lead to it; `NAME` stands for any key."""
    yield keys, cls
    hints = get_type_hints(cls)
    for item in attrs.fields(cls):
        for kind, further in _find_classes(hints[item.name]):
            yield from _walk(kind, (*keys, item.name, *further))


def _find_classes(kind: Any, further: tuple[str, ...] = ()) -> Iterator[tuple[type[Any], tuple[str, ...]]]:
    origin = get_origin(kind)
    if isinstance(origin, type) and issubclass(origin, dict):
        yield from _find_classes(get_args(kind)[1], (*further, "NAME"))
    elif origin is not None or isinstance(kind, types.UnionType):
        for argument in get_args(kind):
            yield from _find_classes(argument, further)
    elif isinstance(kind, type) and attrs.has(kind) and not issubclass(kind, Choice):
        yield kind, further


def _write_summary(cls: type[Any]) -> str:
    """Return the docstring's text above `Args:`, if it says more than the heading."""
    text = (cls.__doc__ or "").partition("\n    Args:")[0]
    return "" if text.startswith("The section `") else escape(" ".join(text.split()))


def _write_keys(cls: type[Any], keys: tuple[str, ...]) -> str:
    hints = get_type_hints(cls)
    fields = attrs.fields_dict(cls)
    items = []
    for option in describe_class(cls, registry()):
        name = ".".join((*keys, option.name))
        if section := fields[option.name].metadata.get(SECTION):
            option = _describe_section(option, section.__name__, name)
        for kind, further in _find_classes(hints[option.name]):
            link = _link_keys("keys", ".".join((name, *further)))
            option = attrs.evolve(option, type=option.type.replace(kind.__name__, link))
        items.append(write_option(name, _link_kind(option, hints[option.name])))
    return "\n".join(items)


def _describe_section(option: OptionDoc, cls: str, name: str) -> OptionDoc:
    """Say of a section where its keys are; their defaults are its default."""
    default = option.default if option.default == "null" else ""
    return attrs.evolve(option, type=option.type.replace(cls, _link_keys("section", name)), default=default)


def _link_keys(text: str, name: str) -> str:
    return f"[{text}](#{name.lower().replace('.', '')})"


def _link_kind(option: OptionDoc, hint: Any) -> OptionDoc:
    """Link a component's kind to its names: `loss` becomes `name of a loss, with options`."""
    for kind in _find_choices(hint):
        link = f"[{kind.component.kind}](components.md#kind-{kind.component.kind})"
        option = attrs.evolve(option, type=option.type.replace(kind.component.kind, link))
    return option


def _find_choices(hint: Any) -> set[type[Choice]]:
    if isinstance(hint, type) and get_origin(hint) is None:
        return {hint} if issubclass(hint, Choice) else set()
    return {kind for argument in get_args(hint) for kind in _find_choices(argument)}
