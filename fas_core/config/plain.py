"""Convert plain data (YAML, JSON) to attrs classes, strictly and with all mistakes reported at once.

cattrs converts. Here no value is coerced to another type, and every field and item is checked even after a
mistake. `fas_core.config.structure` adds what recipes need: components and their options.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import attrs
import cattrs

from fas_core.config.problems import InvalidValueError, Problems, collect_problems, join_path
from fas_core.errors import ConfigError, format_list, suggest_closest
from fas_core.user_paths import expand_user

T = TypeVar("T")

UNKNOWN = "unknown key"

SECTION = "section"
"""Metadata key of the fields that are a section of the recipe, such as `train`; its value is their class."""


def structure_plain(value: object, cls: type[T], where: str) -> T:
    """Convert plain data to an instance of `cls`, in which no component is chosen.

    Raises:
        ConfigError: values are wrong; after `where`, one line for each: its path, the rule and the value.
    """
    return structure_by(build_plain_converter(), value, cls, where)


def structure_by(converter: cattrs.Converter, value: object, cls: type[T], where: str) -> T:
    """Convert plain data by a converter; raises as `structure_plain`."""
    problems: Problems = []
    with collect_problems(problems, ""):
        result = converter.structure(value, cls)
    if not problems:
        return result
    problems = [(path, _suggest_section(path, message, value)) for path, message in problems]
    lines = [f"{path}: {message}" if path else message for path, message in problems]
    if len(lines) == 1:
        raise ConfigError(f"{where}: {lines[0]}")
    raise ConfigError(f"{where}: {len(lines)} problems", lines)


def build_plain_converter() -> cattrs.Converter:
    """Return a converter of numbers, text, paths, lists, mappings and attrs classes."""
    converter = cattrs.Converter(detailed_validation=False)
    hook = converter.register_structure_hook
    hook(int, lambda value, _: _check_type(value, int, "a whole number"))
    hook(float, _to_number)
    hook(str, lambda value, _: _check_type(value, str, "text"))
    hook(bool, lambda value, _: _check_type(value, bool, "true or false"))
    hook(Path, lambda value, _: expand_user(_check_type(value, str, "text")))
    converter.register_unstructure_hook(Path, str)
    generic_hook = converter.register_structure_hook_func
    generic_hook(attrs.has, lambda value, cls: _to_attrs(converter, value, cls))
    generic_hook(_has_origin(Literal), _to_literal)
    generic_hook(_has_origin(tuple, list), lambda value, kind: to_sequence(converter, value, kind))
    generic_hook(_has_origin(dict, Mapping), lambda value, kind: to_mapping(converter, value, kind))
    return converter


def _has_origin(*origins: Any) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) in origins


def _to_attrs(converter: cattrs.Converter, value: object, cls: type[Any]) -> Any:
    """Structure a mapping as an attrs class, field by field."""
    fields = {field.name: field for field in attrs.fields(cls) if field.init}
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a mapping of {', '.join(fields)}: {value!r}")
    hints = get_type_hints(cls)
    unknown = [str(key) for key in value if key not in fields]
    problems = [(key, f"{UNKNOWN}{suggest_closest(key, fields)}") for key in unknown]
    arguments: dict[str, Any] = {}
    for name, field in fields.items():
        default: Any = field.default
        with collect_problems(problems, name):
            if name in value:
                _refuse_empty_section(field, value[name])
                arguments[name] = converter.structure(value[name], hints[name])
                _validate(field, arguments[name])
            elif default is attrs.NOTHING:
                raise ValueError("is required")
            elif hasattr(default, "factory") and not default.takes_self:
                # The options of a component chosen by default are filled in by structuring it.
                arguments[name] = converter.structure(converter.unstructure(default.factory()), hints[name])
    if not problems:
        with collect_problems(problems, ""):
            return cls(**arguments)
    raise InvalidValueError(problems)


def _refuse_empty_section(field: attrs.Attribute[Any], value: object) -> None:
    """Refuse `train: {}`: it could mean all defaults as well as no change."""
    if SECTION in field.metadata and value == {}:
        names = [item.name for item in attrs.fields(field.metadata[SECTION])]
        raise ValueError(f"{{}} sets nothing: leave it out, or set some of its keys: {format_list(names)}")


def _validate(field: attrs.Attribute[Any], value: Any) -> None:
    """Run one field's validator: attrs would stop at the first field that fails."""
    if field.validator is not None:
        with suppress(AttributeError):  # it reads other fields: attrs runs it when the instance is made
            field.validator(None, field, value)


def to_sequence(converter: cattrs.Converter, value: object, kind: Any) -> Any:
    """Structure `list[T]`, `tuple[T, ...]` or `tuple[T, U]`; text is not a sequence here."""
    kinds = get_args(kind)
    fixed = get_origin(kind) is tuple and kinds[-1] is not Ellipsis
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"must be a list: {value!r}")
    if fixed and len(value) != len(kinds):
        raise ValueError(f"must be a list of {len(kinds)}: {list(value)!r}")
    problems: Problems = []
    items = []
    item_kinds = kinds if fixed else kinds[:1] * len(value)
    for index, (item, item_kind) in enumerate(zip(value, item_kinds, strict=True)):
        with collect_problems(problems, f"[{index}]"):
            items.append(converter.structure(item, item_kind))
    if problems:
        raise InvalidValueError(problems)
    return items if get_origin(kind) is list else tuple(items)


def to_mapping(converter: cattrs.Converter, value: object, kind: Any) -> dict[Any, Any]:
    """Structure `dict[K, V]`."""
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a mapping: {value!r}")
    key_kind, item_kind = get_args(kind)
    problems: Problems = []
    items = {}
    for key, item in value.items():
        with collect_problems(problems, str(key)):
            items[converter.structure(key, key_kind)] = converter.structure(item, item_kind)
    if problems:
        raise InvalidValueError(problems)
    return items


def _to_literal(value: object, kind: Any) -> Any:
    """Return one of the choices; a number stands for the text of its digits, as in `protocol: 1`."""
    texts = (value, str(value)) if isinstance(value, int) and not isinstance(value, bool) else (value,)
    for text in texts:
        if any(type(text) is type(choice) and text == choice for choice in get_args(kind)):
            return text
    raise ValueError(f"must be one of {', '.join(map(repr, get_args(kind)))}: {value!r}")


def _check_type(value: object, kind: type[T], description: str) -> T:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        hint = f' (write it in quotes: "{value}")' if kind is str and isinstance(value, (int, float)) else ""
        raise ValueError(f"must be {description}: {value!r}{hint}")
    return value


def _to_number(value: object, _: type) -> float:
    """Return a float; text such as `1e-3`, which YAML 1.1 does not read as a number, counts as one."""
    number = None
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            number = float(value)
    if number is None or not isfinite(number):
        raise ValueError(f"must be a {'number' if number is None else 'finite number'}: {value!r}")
    return number


def _suggest_section(path: str, message: str, value: object) -> str:
    """Suggest `train.lr` for an unknown `lr`, if only one section of the value has such a key."""
    key = path.rpartition(".")[2]
    others = [other for other in _key_paths(value) if other.rpartition(".")[2] == key and other != path]
    if not message.startswith(UNKNOWN) or len(others) != 1:
        return message
    return f"{UNKNOWN} (did you mean {others[0]!r}?)"


def _key_paths(value: object, path: str = "") -> Iterator[str]:
    """Iterate over the paths of all keys in nested mappings."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            inner = join_path(path, str(key))
            yield inner
            yield from _key_paths(item, inner)
