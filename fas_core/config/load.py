"""Load recipes: by a plugin's name or a YAML file, the recipes that it extends, then `--set` and flags."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from fas_core.config.recipe import Recipe
from fas_core.config.structure import build_converter, structure
from fas_core.console import console
from fas_core.descriptors import Backbone, Metric
from fas_core.errors import ConfigError, format_list, suggest_closest
from fas_core.package_files import RecipeFile
from fas_core.registry import Registry
from fas_core.text_files import shorten
from fas_core.user_paths import expand_user
from fas_core.yaml_files import parse_yaml, read_yaml

Tree = dict[str, Any]
"""A recipe as plain data."""

DEFAULT = "quickstart"
"""The recipe of `fas train` without a name."""

FORMAT = 1
"""Format number of recipes and run folders; raised when an older fas would be misled. Files may omit it."""

MAX_EXTENDS = 50
"""Recipes in a chain of `extends`."""


def named_recipes(registry: Registry) -> dict[str, RecipeFile]:
    """Return the recipes that plugins ship, by the shortest name that finds each."""
    return {registry.name_of(recipe): recipe for recipe in registry.all(RecipeFile)}


def load_recipe(name: str, registry: Registry, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """Load a recipe by name or path, and apply overrides such as `{"train.lr": 0.02}`; else a ConfigError.

    A metric that no plugin provides is a warning: it has no values.
    """
    backbones = registry.names(Backbone)
    # The default recipe comes first, so that `loss: {gamma: 2}` sets an option of the default loss.
    tree = merge(to_plain(Recipe(), registry), read_recipe(name, registry), backbones)
    return _structure(apply_overrides(tree, overrides or {}, backbones), registry, f"recipe {name}")


def change_recipe(recipe: Recipe, registry: Registry, overrides: Mapping[str, Any]) -> Recipe:
    """Return a recipe with some of it changed, as by `load_recipe`; else a ConfigError."""
    tree = apply_overrides(to_plain(recipe, registry), overrides, registry.names(Backbone))
    return _structure(tree, registry, "recipe")


def apply_overrides(tree: Tree, overrides: Mapping[str, Any], backbones: Container[str] = ()) -> Tree:
    """Return plain data with `{"train.lr": 0.02, "loss": {"gamma": 2}}` merged into it, one by one."""
    for path, value in overrides.items():
        tree = merge(tree, nest(path, value), backbones)
    return tree


def _structure(tree: Tree, registry: Registry, where: str) -> Recipe:
    """Return the recipe of plain data; a metric that no plugin provides is a warning."""
    try:
        return structure(tree, Recipe, registry, where)
    except ConfigError as error:
        try:
            recipe = structure(tree, Recipe, registry, where, absent=(Metric,))
        except ConfigError:
            raise error from None
    for choice in recipe.metrics:
        if choice.absence:
            console.warn_once(f"{choice.absence}; it has no values")
    return recipe


def read_recipe(name: str, registry: Registry, children: tuple[Path, ...] = ()) -> Tree:
    """Read a recipe and the recipes that it extends, merged.

    `children` are the recipes that extend this one, the first one first.

    Raises:
        ConfigError: a recipe of the chain does not exist, is not a mapping, or extends itself; the chain is
            longer than `MAX_EXTENDS`.
        PluginError: as `locate`.
    """
    path = locate(name, registry, children[-1].parent if children else Path())
    if path in children:
        raise ConfigError(f"{path}: extends itself through {' -> '.join(map(str, children))}")
    if len(children) >= MAX_EXTENDS:
        raise ConfigError(f"{path}: is the end of a chain of more than {MAX_EXTENDS} recipes")
    tree = read_mapping(path)
    if "common" in tree:
        raise ConfigError(
            f"{path}: a published cfgs/*.yaml: `fas config convert {path} -o NEW.yaml` makes a recipe"
        )
    parent = tree.pop("extends", None)
    if parent is None:
        return tree
    if not isinstance(parent, str):
        raise ConfigError(f"{path}: extends: must name one recipe: {parent!r}")
    base = read_recipe(parent, registry, (*children, path))
    return merge(base, tree, registry.names(Backbone))


def locate(name: str, registry: Registry, folder: Path = Path()) -> Path:
    """Return the path of a recipe: a plugin's by name, which may be qualified, or a file below `folder`.

    Raises:
        ConfigError: there is neither.
        PluginError: several plugins have a recipe of the name.
    """
    if registry.providers(RecipeFile, name):
        return registry.find(RecipeFile, name).path
    path = folder / expand_user(name)
    try:
        if (path := path.resolve()).is_file():
            return path
    except OSError as error:
        raise ConfigError(f"recipe {shorten(name)!r}: cannot be read: {error.strerror}") from error
    # The stem in lower case suggests a recipe also for a published cfgs/FeatherNetB-32.yaml.
    suggestion = suggest_closest(Path(name).stem.lower(), named_recipes(registry))
    hint = registry.describe_failed()
    raise ConfigError(f"recipe {name!r}: neither a shipped recipe nor a file{suggestion}{hint}")


def read_mapping(path: Path) -> Tree:
    """Read a YAML file; raise ConfigError if it is unreadable, no YAML, no mapping, or of a newer fas."""
    tree = read_yaml(path)
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: a recipe must be a mapping such as 'train: {{lr: 0.01}}'")
    written = tree.pop("format", FORMAT)
    if not isinstance(written, int) or written > FORMAT:
        raise ConfigError(f"{path}: format: {written!r} is newer than {FORMAT}: upgrade fas-core")
    return tree


def merge(base: Tree, changes: Tree, backbones: Container[str] = ()) -> Tree:
    """Return `base` with `changes` applied, mapping by mapping.

    A mapping of `changes` replaces that of `base`, instead of being merged into it, if it is empty, if it
    names another component, or if it has one of `backbones` for each modality and `base` one for all.
    Where `base` lists components, it is of options by their names: see `_merge_listed`.

    Raises:
        ConfigError: a mapping cannot be merged into a list.
    """
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        if isinstance(old, str):
            old = {"name": old}
        if isinstance(value, dict) and isinstance(old, dict) and not _replaces(old, value, backbones):
            merged[key] = merge(old, value, backbones)
        elif isinstance(value, dict) and _lists_components(old):
            merged[key] = _merge_listed(key, old, value)
        else:
            merged[key] = value
    return merged


def _lists_components(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple)) and any(
        isinstance(item, str) or (isinstance(item, dict) and "name" in item) for item in value
    )


def _merge_listed(key: str, listed: Sequence[Any], changes: Tree) -> list[Any]:
    """Return a list of components with other options: `{flip: {probability: 0.2}}`.

    Raises:
        ConfigError: a name is not that of exactly one of them, or has no mapping of options.
    """
    items = [{"name": item} if isinstance(item, str) else item for item in listed]
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    for name, options in changes.items():
        if names.count(name) != 1 or not isinstance(options, dict) or "name" in options:
            known = format_list(names)
            raise ConfigError(
                f"{key} is a list here ({known}): change an option of one, such as "
                f"{key}.{names[0]}.OPTION, or give a whole list"
            )
        items[names.index(name)] = merge(items[names.index(name)], options)
    return items


def _replaces(old: Tree, new: Tree, backbones: Container[str]) -> bool:
    """Whether a mapping takes the place of the old one: see `merge`."""
    if not new:
        return True
    if "name" in new:
        return bool(new["name"] != old.get("name"))
    names = [item.get("name") if isinstance(item, dict) else item for item in new.values()]
    per_modality = any(isinstance(name, str) and name in backbones for name in names)
    return per_modality and "name" in old


def nest(path: str, value: Any) -> Tree:
    """Turn `train.lr` and 0.02 into `{"train": {"lr": 0.02}}`."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return dict(value)


def parse_sets(assignments: Iterable[str]) -> Tree:
    """Turn `["train.lr=0.02"]` into `{"train.lr": 0.02}`; raise ConfigError if a value is not YAML."""
    values: Tree = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not all(key.split(".")):
            raise ConfigError(f"--set {shorten(assignment)!r}: must read KEY=VALUE, e.g. train.lr=0.02")
        values[key] = parse_yaml(text, f"--set {shorten(assignment)!r}")
    return values


def to_plain(recipe: Recipe, registry: Registry) -> Tree:
    """Return a recipe as plain data with every default; `structure` converts it back."""
    return dict(build_converter(registry).unstructure(recipe))


def to_yaml(tree: Tree) -> str:
    """Format a recipe as `fas config show` prints it and a run folder holds it."""
    return yaml.safe_dump(_replace_tuples(tree), sort_keys=False, default_flow_style=None, width=100)


def _replace_tuples(value: Any) -> Any:
    """Return the value with lists in place of tuples, for which YAML has no plain notation."""
    if isinstance(value, dict):
        return {key: _replace_tuples(item) for key, item in value.items()}
    return [_replace_tuples(item) for item in value] if isinstance(value, (list, tuple)) else value
