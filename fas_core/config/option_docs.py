"""What users can set of a component: each option with its type, default, rule and meaning.

All of it is read from the options class: its annotations, defaults, validators and the section `Args:` of its
docstring.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
import yaml
from attrs import frozen

from fas_core.component import Component
from fas_core.config.components import Choice
from fas_core.config.structure import build_converter
from fas_core.registry import Registry

NAMES = {type(None): "null", Path: "path", str: "text", bool: "true or false", Any: "any value"}


@frozen
class OptionDoc:
    """An option as users see it.

    Args:
        type: in the words of a recipe, e.g. `float or null`.
        default: as a recipe writes it; `required` for none, `computed` where it depends on other options.
        rule: what else its validators ask for, e.g. `>= 0`; empty for nothing.
        meaning: from the docstring of the options class.
    """

    name: str
    type: str
    default: str
    rule: str
    meaning: str


def describe_options(component: Component, registry: Registry) -> list[OptionDoc]:
    """Return the options of a component in their order."""
    return describe_class(component.options, registry)


def describe_class(options: type[Any], registry: Registry) -> list[OptionDoc]:
    """Return the fields of an options class, or of a section of the recipe, in their order."""
    defaults = _list_defaults(options, registry)
    hints, meanings = get_type_hints(options), _read_meanings(options)
    return [
        OptionDoc(
            item.name,
            _describe_type(hints.get(item.name, Any)),
            _to_yaml(defaults[item.name]) if item.name in defaults else _describe_absence(item),
            "; ".join(dict.fromkeys(filter(None, _describe_rules(item.validator)))),
            meanings.get(item.name, ""),
        )
        for item in attrs.fields(options)
    ]


def list_defaults(component: Component, registry: Registry) -> dict[str, Any]:
    """Return the default values of the options that have one of their own, as plain data."""
    return _list_defaults(component.options, registry)


def _list_defaults(options: type[Any], registry: Registry) -> dict[str, Any]:
    convert = build_converter(registry).unstructure
    defaults: dict[str, Any] = {}
    for item in attrs.fields(options):
        if not isinstance(item.default, attrs.Factory):  # type: ignore[arg-type]  # a class at run time
            defaults |= {} if item.default is attrs.NOTHING else {item.name: convert(item.default)}
        elif not item.default.takes_self:
            defaults[item.name] = convert(item.default.factory())
    return defaults


def _describe_absence(item: attrs.Attribute[Any]) -> str:
    return "required" if item.default is attrs.NOTHING else "computed"


def _to_yaml(value: Any) -> str:
    """Return plain data as a recipe writes it in a line."""
    value = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), sort_keys=False)
    return text.removesuffix("...\n").strip()


def _describe_type(kind: Any) -> str:
    """Return e.g. `float or null`, `fp32 or fp16`, `list of text`."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin in (Union, types.UnionType):
        return " or ".join(map(_describe_type, arguments))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"mapping of {' to '.join(map(_describe_type, arguments))}"
    if isinstance(origin, type):  # tuple, list
        return f"list of {_describe_items(arguments)}"
    if isinstance(kind, type) and issubclass(kind, Choice):
        return kind.component.kind
    return NAMES.get(kind, getattr(kind, "__name__", str(kind)))


def _describe_items(arguments: tuple[Any, ...]) -> str:
    items = dict.fromkeys(_describe_type(item) for item in arguments if item is not Ellipsis)
    count = "" if Ellipsis in arguments or len(arguments) < 2 else f"{len(arguments)} "
    return count + " and ".join(items)


def _describe_rules(validator: Any) -> Iterator[str]:
    """Yield what a validator asks for: those of attrs by what they were made with, others by their docs.

    attrs documents its validators' functions but not their classes, which are told apart by their fields.
    """
    match getattr(validator, "__dict__", None) or _slots(validator):
        case {"compare_op": operator, "bound": bound}:
            yield f"{operator} {bound}"
        case {"options": options}:
            yield f"one of {', '.join(map(str, options))}"
        case {"pattern": pattern}:
            yield f"matches {pattern.pattern}"
        case {"min_length": length}:
            yield f"at least {length} long"
        case {"max_length": length}:
            yield f"at most {length} long"
        case {"member_validator": member, "iterable_validator": whole}:
            yield from _describe_rules(whole)
            yield from (f"each {rule}" for rule in _describe_rules(member))
        case {"_validators": several} | {"validators": several} | {"validator": tuple(several)}:
            for item in several:
                yield from _describe_rules(item)
        case {"validator": inner}:  # of `optional`: the type has null
            yield from _describe_rules(inner)
        case _ if inspect.isroutine(validator):
            yield _describe_function(validator)


def _slots(validator: Any) -> dict[str, Any]:
    return attrs.asdict(validator, recurse=False) if attrs.has(type(validator)) else {}


def _describe_function(validator: Any) -> str:
    """Return what the first line of its docstring says: of `Check that it is even.` the end, `it is even`."""
    line = (inspect.getdoc(validator) or "").partition("\n")[0]
    return line.removeprefix("Check that ").rstrip(".")


def _read_meanings(options: type[Any]) -> dict[str, str]:
    """Return what the docstrings of a class and its bases say of each option under `Args:`."""
    names = "|".join(re.escape(item.name) for item in attrs.fields(options))
    meanings: dict[str, str] = {}
    for cls in reversed(options.__mro__):
        text = inspect.cleandoc(vars(cls).get("__doc__") or "")
        section = re.search(r"^Args:(.*?)(?:\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
        pieces = re.split(rf"(?:^|\n)\s*({names}): ", section[1]) if section and names else [""]
        meanings |= {
            name: " ".join(text.split()) for name, text in zip(pieces[1::2], pieces[2::2], strict=True)
        }
    return meanings
