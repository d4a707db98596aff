"""Plain data to attrs classes and back: strict, and with every mistake reported at once.

cattrs does the converting. What is added here: nothing is bent into another type, unknown keys name
the closest known one, every field and item is looked at although others are wrong, and a
component's options are structured by the class that its plugin registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import attrs
import cattrs

from fas_core.config.recipe import (
    BackboneChoice,
    Choice,
    DatasetChoice,
    FusionChoice,
    HeldOut,
    LossChoice,
    MetricChoice,
)
from fas_core.errors import ConfigError, PluginError, suggest_closest
from fas_core.registry import Registry

T = TypeVar("T")
Problems = list[tuple[str, str]]

CHOICES = (BackboneChoice, FusionChoice, LossChoice, MetricChoice, DatasetChoice)
BACKBONES = BackboneChoice | dict[str, BackboneChoice]
PRETRAINED = Path | dict[str, Path] | None


class InvalidValueError(ValueError):
    """Mistakes found in one value: `[(path below it, message)]`."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{path}: {message}" for path, message in problems))


def structure(value: object, cls: type[T], registry: Registry, where: str) -> T:
    """Turn plain data into `cls`.

    Raises:
        ConfigError: one line for each mistake, with its path, the rule and the value.
    """
    try:
        return converter(registry).structure(value, cls)
    except InvalidValueError as error:
        problems = [f"{path}: {message}" if path else message for path, message in error.problems]
        if len(problems) == 1:
            raise ConfigError(f"{where}: {problems[0]}") from None
        raise ConfigError(f"{where}: {len(problems)} problems", problems) from None


def converter(registry: Registry) -> cattrs.Converter:
    """A converter both ways; components' options are looked up in the registry."""
    made = cattrs.Converter(detailed_validation=False)
    made.register_structure_hook(int, _integer)
    made.register_structure_hook(float, _number)
    made.register_structure_hook(str, _text)
    made.register_structure_hook(bool, _boolean)
    made.register_structure_hook(Path, lambda value, _: Path(_text(value, str)).expanduser())
    made.register_structure_hook_func(attrs.has, lambda value, cls: _attrs(made, value, cls))
    made.register_structure_hook_func(_is(Literal), _literal)
    made.register_structure_hook_func(_is(tuple, list), lambda value, kind: _sequence(made, value, kind))
    made.register_structure_hook_func(_is(dict, Mapping), lambda value, kind: _mapping(made, value, kind))
    for choice in CHOICES:
        made.register_structure_hook(choice, lambda value, cls: _choice(made, registry, value, cls))
        made.register_unstructure_hook(choice, lambda value: _plain_choice(made, value))
    made.register_structure_hook(BACKBONES, lambda value, _: _backbones(made, value))
    made.register_structure_hook(PRETRAINED, lambda value, _: _pretrained(made, value))
    made.register_unstructure_hook(Path, str)
    return made


def _is(*origins: Any) -> Callable[[Any], bool]:
    """Whether a type is `origin[...]` of one of these."""
    return lambda kind: get_origin(kind) in origins


@contextmanager
def _below(problems: Problems, key: str) -> Iterator[None]:
    """Note what the block finds wrong, as wrong at `key`."""
    try:
        yield
    except InvalidValueError as error:
        problems += [(_join(key, path), message) for path, message in error.problems]
    except (ValueError, TypeError) as error:
        # attrs' validators say `'lr' must be > 0: -1` and more arguments; the path says `lr` already.
        message = str(error.args[0]) if error.args else type(error).__name__
        problems.append((key, message.removeprefix(f"'{key}' ")))


def _attrs(made: cattrs.Converter, value: object, cls: type[Any]) -> Any:
    """An attrs class field by field."""
    fields = {field.name: field for field in attrs.fields(cls) if field.init}
    if not isinstance(value, Mapping):
        raise InvalidValueError([("", f"must be a mapping of {', '.join(fields)}: {value!r}")])
    hints = get_type_hints(cls)
    problems = [
        (str(key), f"unknown key{suggest_closest(str(key), fields)}") for key in value if key not in fields
    ]
    arguments: dict[str, Any] = {}
    for name, field in fields.items():
        default: Any = field.default
        with _below(problems, name):
            if name in value:
                arguments[name] = made.structure(value[name], hints[name])
                _validate(field, arguments[name])
            elif default is attrs.NOTHING:
                raise ValueError("is required")
            elif hasattr(default, "factory") and not default.takes_self:
                # A component chosen by default has its options only once they are structured.
                arguments[name] = made.structure(made.unstructure(default.factory()), hints[name])
    if not problems:
        with _below(problems, ""):
            return cls(**arguments)
    raise InvalidValueError(problems)


def _validate(field: attrs.Attribute[Any], value: Any) -> None:
    """Run a field's validator by itself: attrs would stop at the first one that fails."""
    if field.validator is not None:
        with suppress(AttributeError):  # it looks at other fields: it runs again when the whole is built
            field.validator(None, field, value)


def _sequence(made: cattrs.Converter, value: object, kind: Any) -> Any:
    """`list[T]`, `tuple[T, ...]` or `tuple[T, U]`; text is none of them."""
    kinds = get_args(kind)
    fixed = get_origin(kind) is tuple and kinds[-1] is not Ellipsis
    if not isinstance(value, (list, tuple)):
        raise InvalidValueError([("", f"must be a list: {value!r}")])
    if fixed and len(value) != len(kinds):
        raise InvalidValueError([("", f"must be a list of {len(kinds)}: {list(value)!r}")])
    problems: Problems = []
    items = []
    for index, (item, of) in enumerate(zip(value, kinds if fixed else kinds[:1] * len(value), strict=True)):
        with _below(problems, f"[{index}]"):
            items.append(made.structure(item, of))
    if problems:
        raise InvalidValueError(problems)
    return items if get_origin(kind) is list else tuple(items)


def _mapping(made: cattrs.Converter, value: object, kind: Any) -> dict[Any, Any]:
    """`dict[K, V]`."""
    if not isinstance(value, Mapping):
        raise InvalidValueError([("", f"must be a mapping: {value!r}")])
    key_kind, item_kind = get_args(kind)
    problems: Problems = []
    items = {}
    for key, item in value.items():
        with _below(problems, str(key)):
            items[made.structure(key, key_kind)] = made.structure(item, item_kind)
    if problems:
        raise InvalidValueError(problems)
    return items


def _choice(made: cattrs.Converter, registry: Registry, value: object, cls: type[Choice]) -> Choice:
    """`focal`, or `{name: focal, gamma: 2}`."""
    given = {"name": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise InvalidValueError(
            [("", f"must name a {cls.component.kind}, as NAME or {{name: NAME, ...}}: {value!r}")]
        )
    try:
        component = registry.find(cls.component, given["name"])
    except PluginError as error:
        raise InvalidValueError([("name", error.message)]) from error
    options = {key: item for key, item in given.items() if key != "name"}
    problems: Problems = []
    chosen: dict[str, Any] = {"name": component.name}
    if issubclass(cls, DatasetChoice):
        with _below(problems, "root"):
            root = options.pop("root", None)
            chosen["root"] = None if root is None else made.structure(root, Path)
        with _below(problems, "train_on_dev"):
            chosen["train_on_dev"] = made.structure(options.pop("train_on_dev", False), bool)
        with _below(problems, "held_out"):
            held_out = options.pop("held_out", None)
            chosen["held_out"] = None if held_out is None else made.structure(held_out, HeldOut)
    with _below(problems, ""):
        chosen["options"] = made.structure(options, component.options)
    if problems:
        raise InvalidValueError(problems)
    return cls(**chosen)


def _plain_choice(made: cattrs.Converter, choice: Choice) -> dict[str, Any]:
    plain = {"name": choice.name, **made.unstructure(choice.options)}
    if isinstance(choice, DatasetChoice) and choice.root is not None:
        plain["root"] = str(choice.root)
    if isinstance(choice, DatasetChoice) and choice.train_on_dev:
        plain["train_on_dev"] = True
    if isinstance(choice, DatasetChoice) and choice.held_out is not None:
        plain["held_out"] = made.unstructure(choice.held_out)
    return plain


def _backbones(made: cattrs.Converter, value: object) -> BackboneChoice | dict[str, BackboneChoice]:
    """One choice, or one for each modality."""
    if isinstance(value, Mapping) and value and "name" not in value:
        return _mapping(made, value, dict[str, BackboneChoice])
    return made.structure(value, BackboneChoice)


def _pretrained(made: cattrs.Converter, value: object) -> Path | dict[str, Path] | None:
    """One file, or one for each of some modalities, or none."""
    if isinstance(value, Mapping):
        return _mapping(made, value, dict[str, Path])
    return None if value is None else made.structure(value, Path)


def _literal(value: object, kind: Any) -> Any:
    for choice in get_args(kind):
        if type(value) is type(choice) and value == choice:
            return choice
    raise InvalidValueError([("", f"must be one of {', '.join(map(repr, get_args(kind)))}: {value!r}")])


def _integer(value: object, _: type) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValueError([("", f"must be a whole number: {value!r}")])
    return value


def _number(value: object, _: type) -> float:
    """A float; YAML 1.1 reads `1e-3` as text, so text that spells a number counts."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    raise InvalidValueError([("", f"must be a number: {value!r}")])


def _text(value: object, _: type) -> str:
    if not isinstance(value, str):
        raise InvalidValueError([("", f"must be text: {value!r}")])
    return value


def _boolean(value: object, _: type) -> bool:
    if not isinstance(value, bool):
        raise InvalidValueError([("", f"must be true or false: {value!r}")])
    return value


def _join(key: str, path: str) -> str:
    separator = "." if key and path and not path.startswith("[") else ""
    return f"{key}{separator}{path}"
