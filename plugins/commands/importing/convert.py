"""Convert the published `cfgs/*.yaml` (of FeatherNets and related programs) into recipes.

Such a file has a `common:` block, which overrides the published program's flags, and may have a `model:`
block, the network's own arguments. Where neither the file nor a flag sets a value, the program's default
holds. What no flag could change (augmentation, loss) is that of the recipe `feathernet-b-32`, which the new
recipe extends. The modality is that of the file's names, else depth, as the program's.
"""

from __future__ import annotations

import re
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
"""Keys of `common:` and their paths in a recipe. `lr` takes precedence over `base_lr`: the program used `lr`
and ignored `base_lr`, which has the rate of the commands in the published files."""

OTHER_FLAGS = (
    *("print_freq", "save_path", "image_size", "model_name", "start_epoch", "gpus", "resume", "evaluate"),
    *("val_save", "phase_test", "phase_ir", "train_image_list", "speed", "summary"),
)
"""Flags of the program that have no counterpart in a recipe."""

DEFAULTS = {
    "train.epochs": 200,
    "train.batch_size": 32,
    "train.lr": 0.1,
    "train.every_decay": 40,
}
"""The program's defaults where the extended recipe has other values."""

MODEL_ARGUMENTS = {"input_size": "model.input_size", "width_mult": "model.backbone.width"}
CLASS_ARGUMENTS = ("n_class", "num_classes", "num_cls")
MODALITIES = {"ir": "ir", "depth": "depth", "rgb": "rgb", "color": "rgb", "colour": "rgb"}
"""Words of file and folder names that are modalities."""
FUSION_WORDS = {"fusion", "modal", "multimodal", "3modal"}

MISSPELT = {"moilenetv2": "mobilenetv2"}


@frozen
class Converted:
    """A converted file.

    Args:
        tree: the contents of the recipe file.
        modality: the modality of the images.
        reason: why it is this one; empty where an override sets it.
        elsewhere: keys without a counterpart in a recipe.
        unknown: keys that the published program did not know either.
    """

    tree: Tree
    modality: str
    reason: str
    elsewhere: tuple[str, ...]
    unknown: tuple[str, ...]

    def to_yaml(self, source: str) -> str:
        """Return the text of the recipe file, with comments on its source and on keys left out."""
        lines = [f"# Converted from {source}."]
        if self.reason:
            lines.append(f"# Modality: {self.modality}, {self.reason}.")
        if self.elsewhere:
            lines.append(f"# Left out, without counterpart in a recipe: {', '.join(self.elsewhere)}.")
        if self.unknown:
            lines.append(f"# Left out, unknown: {', '.join(self.unknown)}.")
        return "\n".join([*lines, to_yaml(self.tree)])


def convert_config(path: Path, registry: Registry, overrides: Mapping[str, Any] | None = None) -> Converted:
    """Convert a published file.

    Args:
        path: the file.
        registry: of the plugins.
        overrides: `{recipe path: value}`, e.g. `{"train.every_decay": 60}`, over the file's values.

    Raises:
        ConfigError: the file is not a published one, its network is unknown, or values are wrong.
    """
    old = read_mapping(path)
    common, model = _read_block(old, "common", path), _read_block(old, "model", path)
    if common is None:
        raise ConfigError(f"{path}: no 'common:' block, so not a published cfgs/*.yaml")
    backbones = {component.name for component in registry.all(Backbone)}
    tree: Tree = {"extends": BASE, "model": {"backbone": _find_backbone(common, backbones, path)}}
    settings = {**DEFAULTS, **{target: common[key] for key, target in COMMON.items() if key in common}}
    base = read_recipe(BASE, registry)
    modality, reason = ("", "") if "modalities" in (overrides or {}) else _find_modality(common, path)
    if modality and [modality] != base["modalities"]:
        # The program had one normalisation, whatever the images.
        settings |= {"modalities": [modality]}
        settings |= {"model.normalize": {modality: base["model"]["normalize"]["depth"]}}
    settings |= {**_read_model_block(model or {}, path), **(overrides or {})}
    for target, value in settings.items():
        tree = merge(tree, nest(target, value), backbones)
    merged = merge(base, {key: value for key, value in tree.items() if key != "extends"}, backbones)
    recipe = structure(merged, Recipe, registry, str(path))
    unknown = {*set(old) - {"common", "model"}, *set(common) - {"arch", *COMMON, *OTHER_FLAGS}}
    elsewhere = tuple(key for key in OTHER_FLAGS if key in common)
    names = ", ".join(recipe.modalities)
    return Converted(tree, names, reason, elsewhere, tuple(sorted(map(str, unknown))))


def _read_block(old: Tree, name: str, path: Path) -> Tree | None:
    """Return one block of the file; None where it is missing.

    Raises:
        ConfigError: the block is not a mapping.
    """
    block = old.get(name)
    if block is not None and not isinstance(block, dict):
        raise ConfigError(f"{path}: {name}: must be a mapping: {block!r}")
    return block


def _find_modality(common: Tree, path: Path) -> tuple[str, str]:
    """Return the modality of the program's images, and how it is known.

    The published files say it in names only, as `FeatherNetB-32-ir.yaml` and its `save_path` do.

    Raises:
        ConfigError: names of several modalities, or of a fusion.
    """
    if common.get("phase_ir"):
        return "ir", "by its flag phase_ir"
    texts = [path.name, *(str(common[key]) for key in ("save_path", "model_name") if key in common)]
    words = {word for text in texts for word in re.split(r"[^a-z0-9]+", text.lower())}
    modalities = sorted({MODALITIES[word] for word in words & set(MODALITIES)})
    advice = "say which by --set 'modalities=[depth]' or the like"
    if words & FUSION_WORDS:
        raise ConfigError(
            f"{path}: is named after a fusion of modalities, which such a file does not describe: use the "
            f"shipped recipe feathernet-modal-fusion or, for one modality, {advice}"
        )
    if len(modalities) > 1:
        raise ConfigError(f"{path}: is named after {' and '.join(modalities)}: {advice}")
    if modalities:
        return modalities[0], "by the names in it or of it"
    return "depth", "assumed, as the published program had it: the file names none"


def _find_backbone(common: Tree, backbones: set[str], path: Path) -> Tree:
    """Return e.g. `{name: feathernet_b}` for `FeatherNetB`, ignoring case and underscores.

    Raises:
        ConfigError: there is no such backbone.
    """
    arch = common.get("arch")
    if not isinstance(arch, str):
        raise ConfigError(f"{path}: common.arch: must name a network: {arch!r}")
    plain = {name.replace("_", ""): name for name in backbones}
    name = MISSPELT.get(arch, arch).lower().replace("_", "")
    if name not in plain:
        known = ", ".join(sorted(backbones))
        raise ConfigError(f"{path}: common.arch: no backbone is called {arch!r} (known: {known})")
    return {"name": plain[name]}


def _read_model_block(model: Tree, path: Path) -> dict[str, Any]:
    """Return the network's arguments by recipe path; all but the input size are options of the backbone.

    Raises:
        ConfigError: the number of classes is not two.
    """
    if wrong := [f"model.{key}: {model[key]}" for key in CLASS_ARGUMENTS if model.get(key, 2) != 2]:
        raise ConfigError(f"{path}: {format_list(wrong)}: there are two classes, attack and live")
    arguments = {key: value for key, value in model.items() if key not in CLASS_ARGUMENTS}
    return {MODEL_ARGUMENTS.get(key, f"model.backbone.{key}"): value for key, value in arguments.items()}
