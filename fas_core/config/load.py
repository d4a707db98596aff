"""Recipes: YAML files (ours by name), `extends:`, `--set` and flags, to a `Recipe`."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from fas_core.config.recipe import Recipe
from fas_core.config.structure import converter, structure
from fas_core.descriptors import Backbone
from fas_core.errors import ConfigError, suggest_closest
from fas_core.registry import Registry

Tree = dict[str, Any]

DEFAULT = "quickstart"


class Loader(yaml.SafeLoader):
    """YAML in which a key that is given twice is an error, where YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        given = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in given:
                raise yaml.constructor.ConstructorError(
                    problem=f"{key.value!r} is given twice", problem_mark=key.start_mark
                )
            given.add(key.value)
        return super().construct_mapping(node, deep)


def shipped_recipes() -> dict[str, Path]:
    """The recipes that ship with fas: `{name: file}`."""
    folder = Path(str(files("fas_configs")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_summary(path: Path) -> str:
    """What a recipe says of itself: its first line, where that is a comment."""
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def load_recipe(name: str, registry: Registry, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe by name or file, with `{"train.lr": 0.02}` over it.

    Raises:
        ConfigError: there is no such recipe, it is not a mapping, or values are wrong.
    """
    backbones = {component.name for component in registry.all(Backbone)}
    # Under it the default choices, so that `loss: {gamma: 2}` goes on with the default loss.
    tree = merge(to_plain(Recipe(), registry), read_recipe(name, backbones), backbones)
    for path, value in (overrides or {}).items():
        tree = merge(tree, nest(path, value), backbones)
    return structure(tree, Recipe, registry, f"recipe {name}")


def read_recipe(name: str, backbones: Container[str] = (), seen: tuple[Path, ...] = ()) -> Tree:
    """The plain tree of a recipe, its `extends:` chain merged.

    Raises:
        ConfigError: a recipe of the chain is not there, is no mapping, or extends itself.
    """
    path = locate(name, seen[-1].parent if seen else Path())
    if path in seen:
        raise ConfigError(f"{path}: extends itself through {' -> '.join(map(str, seen))}")
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
    return merge(read_recipe(parent, backbones, (*seen, path)), tree, backbones)


def locate(name: str, folder: Path) -> Path:
    """The file of a recipe: a shipped name, or a path relative to `folder`."""
    known = shipped_recipes()
    if name in known:
        return known[name]
    path = (folder / Path(name).expanduser()).resolve()
    if path.is_file():
        return path
    meant = suggest_closest(
        Path(name).stem.lower(), known
    )  # also where a published cfgs/FeatherNetB-32.yaml is not
    raise ConfigError(f"recipe {name!r}: neither a shipped recipe nor a file{meant}")


def read_mapping(path: Path) -> Tree:
    """A YAML file that must hold a mapping.

    Raises:
        ConfigError: it cannot be read, is not YAML (with the line), or is not a mapping.
    """
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), Loader)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{line}: not YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: a recipe must be a mapping such as 'train: {{lr: 0.01}}'")
    return tree


def merge(base: Tree, over: Tree, backbones: Container[str] = ()) -> Tree:
    """`over` on top of `base`, mapping by mapping.

    Where `over` chooses another component by name, or one of `backbones` for each modality, the base's
    options go with the old choice.
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, str):
            below = {"name": below}
        if isinstance(value, dict) and isinstance(below, dict) and _goes_on(below, value, backbones):
            merged[key] = merge(below, value, backbones)
        else:
            merged[key] = value
    return merged


def _goes_on(below: Tree, value: Tree, backbones: Container[str]) -> bool:
    """Whether `value` changes what is `below`, rather than standing in its place."""
    if "name" in value:
        return bool(value["name"] == below.get("name"))
    names = [item.get("name") if isinstance(item, dict) else item for item in value.values()]
    one_each = any(isinstance(name, str) and name in backbones for name in names)
    return not (one_each and "name" in below)


def nest(path: str, value: Any) -> Tree:
    """`train.lr`, 0.02 -> `{train: {lr: 0.02}}`."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return dict(value)


def parse_sets(assignments: Iterable[str]) -> Tree:
    """`["train.lr=0.02"]` -> `{"train.lr": 0.02}`; values are YAML.

    Raises:
        ConfigError: one is not KEY=VALUE, or its value is not YAML.
    """
    parsed: Tree = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not all(key.split(".")):
            raise ConfigError(f"--set {assignment!r}: must read KEY=VALUE, e.g. train.lr=0.02")
        try:
            parsed[key] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {assignment!r}: the value is not YAML") from error
    return parsed


def to_plain(recipe: Recipe, registry: Registry) -> Tree:
    """The whole tree of a recipe as plain data, every default spelled out; `structure` takes it back."""
    return dict(converter(registry).unstructure(recipe))


def to_yaml(tree: Tree) -> str:
    """As `fas config show` prints it and a run folder keeps it."""
    return yaml.safe_dump(_listed(tree), sort_keys=False, default_flow_style=None, width=100)


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value
