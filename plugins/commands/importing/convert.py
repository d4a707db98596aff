"""The published `cfgs/*.yaml` (FeatherNets' and its kin's) as recipes.

Such a file has a `common:` block, set over the published program's flags, and may have a `model:` block,
the network's own arguments. What neither the file nor a flag says is the program's default; what no flag
could change (images, augmentation, loss) is that of the recipe `feathernet-b-32`, which the new one extends.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.config.load import Tree, merge, nest, read_mapping, read_recipe, to_yaml
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.descriptors import Backbone
from fas_core.errors import ConfigError, format_list
from fas_core.registry import Registry

BASE = "feathernet-b-32"

COMMON = {
    "batch_size": "train.batch_size",
    "epochs": "train.epochs",
    "policy": "train.schedule",
    "base_lr": "train.lr",
    "lr": "train.lr",
    "momentum": "train.momentum",
    "weight_decay": "train.weight_decay",
    "every_decay": "train.every_decay",
    "workers": "train.workers",
    "random_seed": "train.seed",
    "fl_gamma": "loss.gamma",
    "input_size": "model.input_size",
}
"""Keys of `common:` and where a recipe says the same. `lr`, which the program took, counts before
`base_lr`, which it did not look at: the published files have the same rate there as the commands."""

ELSEWHERE = (
    *("print_freq", "save_path", "image_size", "model_name", "start_epoch", "gpus", "resume", "evaluate"),
    *("val_save", "phase_test", "phase_ir", "train_image_list", "speed", "summary"),
)
"""Further flags of the program, which are no matter of a recipe here."""

DEFAULTS = {
    "train.epochs": 200,
    "train.batch_size": 32,
    "train.lr": 0.1,
    "train.every_decay": 40,
}
"""The program's own, as far as the extended recipe has those of a published command instead."""

MODEL = {"input_size": "model.input_size", "width_mult": "model.backbone.width"}
CLASSES = ("n_class", "num_classes", "num_cls")
MISSPELT = {"moilenetv2": "mobilenetv2"}


@frozen
class Converted:
    """A recipe made of a published file.

    Args:
        tree: as a recipe file holds it.
        elsewhere: keys that are no matter of a recipe.
        unknown: keys that the published program did not know either.
    """

    tree: Tree
    elsewhere: tuple[str, ...]
    unknown: tuple[str, ...]

    def to_yaml(self, source: str) -> str:
        """The recipe file, which says where it is from and what was left out."""
        lines = [f"# Converted from {source}."]
        if self.elsewhere:
            lines.append(f"# Left out, being no matter of a recipe: {', '.join(self.elsewhere)}.")
        if self.unknown:
            lines.append(f"# Left out, being unknown: {', '.join(self.unknown)}.")
        return "\n".join([*lines, to_yaml(self.tree)])


def convert(path: Path, registry: Registry, overrides: Mapping[str, Any] | None = None) -> Converted:
    """Make a recipe of a published file, with `{"train.every_decay": 60}` over it.

    Raises:
        ConfigError: it is no such file, its network is none of ours, or values are wrong.
    """
    old = read_mapping(path)
    common, model = _block(old, "common", path), _block(old, "model", path)
    if common is None:
        raise ConfigError(f"{path}: no 'common:' block, so not a published cfgs/*.yaml")
    backbones = {component.name for component in registry.all(Backbone)}
    said = {place: common[key] for key, place in COMMON.items() if key in common}
    tree: Tree = {"extends": BASE, "model": {"backbone": _backbone(common, backbones, path)}}
    for place, value in {**DEFAULTS, **said, **_network(model or {}, path), **(overrides or {})}.items():
        tree = merge(tree, nest(place, value), backbones)
    base = read_recipe(BASE, backbones)
    whole = merge(base, {key: value for key, value in tree.items() if key != "extends"}, backbones)
    structure(whole, Recipe, registry, str(path))
    strange = {*set(old) - {"common", "model"}, *set(common) - {"arch", *COMMON, *ELSEWHERE}}
    elsewhere = tuple(key for key in ELSEWHERE if key in common)
    return Converted(tree, elsewhere, tuple(sorted(map(str, strange))))


def _block(old: Tree, name: str, path: Path) -> Tree | None:
    """One block of the file, None where there is none.

    Raises:
        ConfigError: it is no mapping.
    """
    block = old.get(name)
    if block is not None and not isinstance(block, dict):
        raise ConfigError(f"{path}: {name}: must be a mapping: {block!r}")
    return block


def _backbone(common: Tree, backbones: set[str], path: Path) -> Tree:
    """`FeatherNetB` -> `{name: feathernet_b}`; underscores and capitals do not count."""
    arch = common.get("arch")
    if not isinstance(arch, str):
        raise ConfigError(f"{path}: common.arch: must name a network: {arch!r}")
    plain = {name.replace("_", ""): name for name in backbones}
    wanted = MISSPELT.get(arch, arch).lower().replace("_", "")
    if wanted not in plain:
        known = ", ".join(sorted(backbones))
        raise ConfigError(f"{path}: common.arch: no backbone here is {arch!r} (known: {known})")
    return {"name": plain[wanted]}


def _network(model: Tree, path: Path) -> dict[str, Any]:
    """The network's own arguments; those without a place of their own are options of the backbone.

    Raises:
        ConfigError: other than two classes are asked for.
    """
    if wrong := [f"model.{key}: {model[key]}" for key in CLASSES if model.get(key, 2) != 2]:
        raise ConfigError(f"{path}: {format_list(wrong)}: there are two classes, attack and live")
    return {
        MODEL.get(key, f"model.backbone.{key}"): value for key, value in model.items() if key not in CLASSES
    }
