"""The JSON schema of recipes, for editors, with every plugin's options."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from fas_core.config.components import Choice
from fas_core.config.plain import SECTION
from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.failures import describe_error
from fas_core.registry import Registry

Schema = dict[str, Any]

SIMPLE: dict[Any, Schema] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    Path: {"type": "string"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
}


def recipe_schema(registry: Registry) -> Schema:
    """Return the JSON schema (2020-12) of a recipe file, `extends` included."""
    schema = _schema(Recipe, registry)
    extends = {"type": "string", "description": "The recipe, by name or file, that this one changes."}
    number = {"type": "integer", "description": "Format number; files of an older fas lack it."}
    schema["properties"] = {"extends": extends, "format": number, **schema["properties"]}
    # By reference, as a component's options may choose a component in turn.
    definitions = {choice.component.kind: _choice(choice, registry) for choice in Choice.__subclasses__()}
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, "title": "fas recipe", **schema, "$defs": definitions}


def _schema(kind: Any, registry: Registry) -> Schema:
    if kind in SIMPLE:
        return dict(SIMPLE[kind])
    if isinstance(kind, type) and issubclass(kind, Choice):
        return {"$ref": f"#/$defs/{kind.component.kind}"}
    if attrs.has(kind):
        return _object(kind, registry)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(item, registry) for item in arguments]}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], registry)}
    if origin is tuple and arguments[-1] is not Ellipsis:
        items = [_schema(item, registry) for item in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin in (tuple, list):
        return {"type": "array", "items": _schema(arguments[0], registry)}
    return {}


def _object(kind: type[Any], registry: Registry, further: Schema | None = None) -> Schema:
    """Return the schema of an attrs class, with the properties `further` before its own."""
    hints = get_type_hints(kind)
    properties = {item.name: _field(item, hints[item.name], registry) for item in attrs.fields(kind)}
    required = [item.name for item in attrs.fields(kind) if item.default is attrs.NOTHING]
    schema: Schema = {"type": "object", "properties": {**(further or {}), **properties}}
    return schema | {"additionalProperties": False} | ({"required": required} if required else {})


def _field(item: attrs.Attribute[Any], kind: Any, registry: Registry) -> Schema:
    schema = _schema(kind, registry)
    if isinstance(item.default, (int, float, str, bool)):
        schema["default"] = item.default
    if SECTION in item.metadata:
        for member in schema.get("anyOf", [schema]):
            member |= {"minProperties": 1} if member["type"] == "object" else {}
    return schema


def _choice(kind: type[Choice], registry: Registry) -> Schema:
    """Return the schema of a component's name, or a mapping of its name and its options."""
    names: list[str] = []
    fields = attrs.fields_dict(kind)
    common = {name: _field(fields[name], option, registry) for name, option in kind.common_options().items()}
    mappings = []
    for item in registry.all(kind.component):
        forms = list(dict.fromkeys((registry.name_of(item), item.qualified_name)))
        name = {"enum": forms, "description": item.summary}
        try:
            mapping = _object(item.options, registry, {"name": name, **common})
            json.dumps(mapping)
        except Exception as error:  # options are a plugin's code
            console.warn(f"{item} is left out: its options have no schema: {describe_error(error)}")
            continue
        mappings.append({**mapping, "required": ["name", *mapping.get("required", ())]})
        names += forms
    return {"anyOf": [{"enum": names}, *mappings]}
