"""Plain data to attrs classes and back: strict, and with every mistake reported at once.

cattrs does the converting. What is added here: integers and floats are not bent into each other,
unknown keys name the closest known one, validators run per field so that none hides another, and a
component's options are structured by the class that its plugin registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import attrs
import cattrs
from cattrs import transform_error

from fas_core.config import BackboneChoice, Choice, DatasetChoice, FusionChoice, LossChoice, MetricChoice
from fas_core.errors import ConfigError, PluginError, closest
from fas_core.plugins import Registry

T = TypeVar("T")
CHOICES = (BackboneChoice, FusionChoice, LossChoice, MetricChoice, DatasetChoice)


class InvalidValueError(ValueError):
    """Mistakes found in one value: `[(path below it, message)]`."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
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
    made = cattrs.Converter(forbid_extra_keys=True)
    made.register_structure_hook(int, _integer)
    made.register_structure_hook(float, _number)
    made.register_structure_hook(str, _text)
    made.register_structure_hook(bool, _boolean)
    made.register_structure_hook(Path, lambda value, _: Path(_text(value, str)).expanduser())
    made.register_structure_hook_func(attrs.has, lambda value, cls: _attrs(made, value, cls))
    for choice in CHOICES:
        made.register_structure_hook(choice, lambda value, cls: _choice(made, registry, value, cls))
        made.register_unstructure_hook(choice, lambda value: _plain_choice(made, value))
    made.register_structure_hook(
        BackboneChoice | dict[str, BackboneChoice], lambda value, _: _backbones(made, value)
    )
    made.register_unstructure_hook(Path, str)
    return made


def _attrs(made: cattrs.Converter, value: object, cls: type[Any]) -> Any:
    """An attrs class field by field, so that every mistake is found."""
    if not isinstance(value, Mapping):
        raise InvalidValueError(
            [("", f"must be a mapping of {', '.join(attrs.fields_dict(cls))}: {value!r}")]
        )
    hints, fields = get_type_hints(cls), attrs.fields_dict(cls)
    problems: list[tuple[str, str]] = []
    arguments: dict[str, Any] = {}
    for key, item in value.items():
        if key not in fields:
            problems.append((str(key), f"unknown key{closest(str(key), fields)}"))
            continue
        try:
            arguments[key] = _value(made, item, hints[key])
            if (validator := fields[key].validator) is not None:
                validator(None, fields[key], arguments[key])
        except InvalidValueError as error:
            problems += [(_join(key, path), message) for path, message in error.problems]
        except (ValueError, TypeError) as error:
            problems.append((key, _without_name(str(error.args[0]), key)))
    for name in (name for name in fields if name not in value):
        default: Any = fields[name].default
        if default is attrs.NOTHING:
            problems.append((name, "is required"))
        elif hasattr(default, "factory") and not default.takes_self:
            # A component chosen by default has its options only once they are structured.
            arguments[name] = made.structure(made.unstructure(default.factory()), hints[name])
    if problems:
        raise InvalidValueError(problems)
    try:
        return cls(**arguments)
    except (ValueError, TypeError) as error:
        raise InvalidValueError([("", str(error.args[0]))]) from error


def _value(made: cattrs.Converter, value: object, kind: Any) -> Any:
    """One value by cattrs; its groups of errors become one `InvalidValueError`."""
    try:
        return made.structure(value, kind)
    except cattrs.BaseValidationError as error:
        lines = transform_error(error, path="", format_exception=_reason)
        raise InvalidValueError(
            [(path.strip(), text) for text, _, path in (line.partition(" @ ") for line in lines)]
        ) from None
    except InvalidValueError:
        raise
    except Exception as error:
        raise InvalidValueError(
            [("", _reason(error, kind) if "Literal" in str(kind) else f"{error}")]
        ) from error


def _reason(error: BaseException, kind: Any) -> str:
    if isinstance(error, InvalidValueError):
        return "; ".join(message for _, message in error.problems)
    if "Literal" in str(kind):
        return f"must be one of {', '.join(map(repr, kind.__args__))}: {error.args[-1] if error.args else ''}"
    return str(error)


def _choice(made: cattrs.Converter, registry: Registry, value: object, cls: type[Choice]) -> Choice:
    """`focal`, or `{name: focal, gamma: 2}`."""
    given = {"name": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise InvalidValueError([("", f"must name a {cls.kind}, as NAME or {{name: NAME, ...}}: {value!r}")])
    try:
        component = registry.find(cls.kind, given["name"])
    except PluginError as error:
        raise InvalidValueError([("name", error.message)]) from error
    own = {"root"} if issubclass(cls, DatasetChoice) else set()
    options = made.structure(
        {key: item for key, item in given.items() if key != "name" and key not in own}, component.options
    )
    if issubclass(cls, DatasetChoice):
        root = given.get("root")
        return cls(component.name, options, None if root is None else made.structure(root, Path))
    return cls(component.name, options)


def _plain_choice(made: cattrs.Converter, choice: Choice) -> dict[str, Any]:
    plain = {"name": choice.name, **made.unstructure(choice.options)}
    if isinstance(choice, DatasetChoice) and choice.root is not None:
        plain["root"] = str(choice.root)
    return plain


def _backbones(made: cattrs.Converter, value: object) -> BackboneChoice | dict[str, BackboneChoice]:
    if not isinstance(value, Mapping) or "name" in value:
        return made.structure(value, BackboneChoice)
    problems: list[tuple[str, str]] = []
    chosen: dict[str, BackboneChoice] = {}
    for modality, item in value.items():
        try:
            chosen[modality] = made.structure(item, BackboneChoice)
        except InvalidValueError as error:
            problems += [(_join(modality, path), message) for path, message in error.problems]
    if problems:
        raise InvalidValueError(problems)
    return chosen


def _integer(value: object, _: type) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValueError([("", f"must be a whole number: {value!r}")])
    return value


def _number(value: object, _: type) -> float:
    """A float; YAML 1.1 reads `1e-3` as text, so text that spells a number counts."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
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


def _join(key: object, path: str) -> str:
    separator = "" if not path or path.startswith("[") else "."
    return f"{key}{separator}{path}"


def _without_name(message: str, name: str) -> str:
    """attrs' validators say `'lr' must be > 0: -1`; the path says `lr` already."""
    return message.removeprefix(f"'{name}' ")
