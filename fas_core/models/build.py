"""Building a recipe's model: backbones, fusion and preprocessing, with fresh weights."""

from __future__ import annotations

from typing import cast

from torch import nn

from fas_core.config.components import BackboneChoice
from fas_core.config.recipe import Normalize, Recipe
from fas_core.contracts import BackboneModule, BranchSize
from fas_core.descriptors import Backbone, Fusion
from fas_core.errors import ConfigError, format_list
from fas_core.models.model import SHARED, Model, PatchGrid, Preprocess
from fas_core.records.stage import Stage
from fas_core.registry import Registry
from fas_core.registry import registry as find_installed

PIXELS = Normalize(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
"""Of a backbone that reads pixels as they are."""


def build_model(recipe: Recipe, registry: Registry | None = None, num_classes: int | None = None) -> Model:
    """Build the model of a recipe, with fresh weights (seed torch before).

    Args:
        registry: the plugins that it is built of; None: those that are installed.
        num_classes: number of the classifier's classes; None: the recipe's.

    Raises:
        ConfigError: a modality has no backbone or, where others have one, no normalisation; a backbone
            cannot have this input size; or modality dropout would leave out the only modality.
        PluginError: a backbone or the fusion is missing, or a plugin's fails.
    """
    partial = recipe.train.modality_dropout > 0
    if partial and len(recipe.modalities) == 1:
        (name,) = recipe.modalities
        raise ConfigError(f"train.modality_dropout: {name!r} is the only modality: nothing would be left")
    registry = registry or find_installed()
    num_classes = num_classes or recipe.model.num_classes
    config, descriptor = recipe.model, registry.find(Fusion, recipe.model.fusion.name)
    takes, side, patches = descriptor.takes, config.input_size, config.patches
    choices = _backbone_choices(config.backbone, recipe.modalities)
    normalize = _normalize(config.normalize, choices, registry)

    def backbone(choice: BackboneChoice, in_channels: int, until: Stage) -> nn.Module:
        component = registry.find(Backbone, choice.name)
        options = {"in_channels": in_channels, "input_size": side, "num_classes": num_classes}
        return cast(nn.Module, component.call(choice.options, until=until, **options))

    def fusion(sizes: tuple[BranchSize, ...]) -> nn.Module:
        options = {"branches": sizes, "num_classes": num_classes}
        return cast(nn.Module, descriptor.call(config.fusion.options, **options))

    if takes == "inputs":
        if len(set(choices.values())) > 1:
            raise ConfigError(
                f"model.backbone: fusion {descriptor.name!r} has one backbone for all modalities"
            )
        joint = fusion(tuple(BranchSize(name, (3, side, side)) for name in recipe.modalities))
        with descriptor.naming_failures():
            channels = cast(int, joint.out_channels)
        backbones = {SHARED: backbone(choices[recipe.modalities[0]], channels, "logits")}
    else:
        backbones = {name: backbone(choice, 3, takes) for name, choice in choices.items()}
        sizes = []
        for name, module in backbones.items():
            with registry.find(Backbone, choices[name].name).naming_failures():
                sizes.append(measure_branch(name, module, side, takes))
        joint = fusion(tuple(sizes))
    return Model(
        {name: Preprocess(values) for name, values in normalize.items()},
        backbones,
        joint,
        takes,
        config.face_size,
        partial,
        None if patches is None else PatchGrid(patches.grid, side, config.face_size),
    )


def _normalize(
    tables: dict[str, Normalize], choices: dict[str, BackboneChoice], registry: Registry
) -> dict[str, Normalize]:
    """The normalisation of each modality: the recipe's, else its backbone's, else the default.

    Tables of other modalities are ignored, so that a recipe can be narrowed to fewer.
    """
    if tables and (missing := [name for name in choices if name not in tables]):
        names = f"{format_list(tables)} but not for {format_list(missing)}"
        raise ConfigError(f"model.normalize: given for {names}: `fas data stats` measures it")
    result = {}
    for name, choice in choices.items():
        backbone = registry.find(Backbone, choice.name)
        published = Normalize(*backbone.normalize) if backbone.normalize else Normalize()
        result[name] = PIXELS if backbone.reads_pixels else tables.get(name, published)
    return result


def _backbone_choices(
    backbone: BackboneChoice | dict[str, BackboneChoice], modalities: tuple[str, ...]
) -> dict[str, BackboneChoice]:
    """The backbone of each modality."""
    if not isinstance(backbone, dict):
        return dict.fromkeys(modalities, backbone)
    if differing := set(backbone) ^ set(modalities):
        wrong = format_list(sorted(differing))
        raise ConfigError(f"model.backbone: must name one for each of {', '.join(modalities)}: {wrong}")
    return {name: backbone[name] for name in modalities}


def measure_branch(modality: str, module: nn.Module, input_size: int, until: Stage) -> BranchSize:
    """Return what a branch that is built as far as `until` gives to the fusion."""
    backbone = cast(BackboneModule, module)
    side = -(-input_size // backbone.reduction)
    return BranchSize(
        modality,
        (backbone.num_features, side, side),
        backbone.embedding_dim if until in ("embeddings", "logits") else None,
        backbone.num_logits if until == "logits" else None,
    )
