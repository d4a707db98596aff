"""The recipe of an imported checkpoint's run: what the user says, and what is assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict, evolve

from fas_core.config.load import load_recipe
from fas_core.config.recipe import Normalize, Recipe
from fas_core.data.text_lists import MODALITIES
from fas_core.descriptors import Backbone
from fas_core.errors import ConfigError
from fas_core.records.model_input import ScaledCrop
from fas_core.registry import Registry

DEFAULT_THRESHOLD = "fixed:0.5"
"""A published checkpoint has no dev scores to fit a threshold on."""


def build_recipe(
    base: str,
    registry: Registry,
    archs: Sequence[str],
    options: Mapping[str, Any],
    overrides: Mapping[str, Any],
) -> Recipe:
    """Return the recipe of a checkpoint's run.

    Args:
        base: recipe with the values that neither the checkpoint nor the options have.
        registry: of the plugins.
        archs: the backbone, or one for each modality.
        options: `modalities`, `fusion`, `mean` and `std`; None for the default.
        overrides: `{recipe path: value}`, which take precedence over everything.

    Raises:
        FasError: a name or a value is wrong.
    """
    backbones = [registry.find(Backbone, arch) for arch in archs]
    base_recipe = load_recipe(base, registry)
    modalities = list(options.get("modalities") or _default_modalities(backbones, base_recipe))
    if len(archs) not in (1, len(modalities)):
        names = ", ".join(modalities)
        raise ConfigError(
            f"--arch: {len(archs)} backbones for the modalities {names}: give one, or one for each"
        )
    if len({backbone.input_size for backbone in backbones}) > 1:
        sizes = ", ".join(f"{backbone.name} {backbone.input_size}" for backbone in backbones)
        raise ConfigError(f"--arch: backbones of one model take one input size: {sizes}")
    branches = dict(zip(modalities, backbones * (len(modalities) // len(backbones)), strict=True))
    normalize = {name: _default_normalize(item, base_recipe, name) for name, item in branches.items()}
    channels = {key: options[key] for key in ("mean", "std") if options.get(key) is not None}
    crops = {name: item.crop for name, item in branches.items()}
    settings = {
        "modalities": modalities,
        "model.backbone": archs[0] if len(archs) == 1 else dict(zip(modalities, archs, strict=True)),
        "model.fusion": options.get("fusion") or _default_fusion(modalities, archs),
        "model.input_size": backbones[0].input_size,
        "model.normalize": {
            name: {"mean": list(values.mean), "std": list(values.std), "channels": values.channels} | channels
            for name, values in normalize.items()
        },
        "crops": {name: _describe_crop(name, crop) for name, crop in crops.items() if crop is not None},
        "threshold": DEFAULT_THRESHOLD,
    }
    return load_recipe(base, registry, settings | dict(overrides))


def list_assumptions(
    base: str,
    recipe: Recipe,
    registry: Registry,
    archs: Sequence[str],
    options: Mapping[str, Any],
    overrides: Mapping[str, Any],
) -> dict[str, str]:
    """Return what a checkpoint does not say and the user did not, `{recipe path: value and origin}`.

    Args:
        base: recipe that the values come from.
        recipe: of the run.
        registry: of the plugins.
        archs: as `build_recipe` takes them.
        options: as `build_recipe` takes them.
        overrides: as `build_recipe` takes them.
    """

    def is_set(path: str) -> bool:
        return any(f"{key}.".startswith(f"{path}.") or f"{path}.".startswith(f"{key}.") for key in overrides)

    assumed = {}
    if options.get("modalities") is None and not is_set("modalities"):
        origin = f"the crop of {archs[0]} is of a photo" if recipe.crops else f"recipe {base}"
        assumed["modalities"] = f"{', '.join(recipe.modalities)} ({origin})"
    if options.get("mean") is None and options.get("std") is None and not is_set("model.normalize"):
        published = all(registry.find(Backbone, arch).normalize is not None for arch in archs)
        origin = f"as published for {', '.join(archs)}" if published else f"that of recipe {base}"
        assumed["model.normalize"] = origin
    if recipe.crops and not is_set("crops"):
        texts = [
            f"{name} {crop.scale:g} times the face's box in {recipe.input.photo(name)}"
            for name, crop in recipe.crops.items()
        ]
        assumed["crops"] = f"{', '.join(texts)}, as published"
    if not recipe.crops and not is_set("resize.crop"):
        share = recipe.resize.crop
        assumed["resize.crop"] = f"{share:g}, the central {100 * share:g} % of a face's side (recipe {base})"
    if not is_set("threshold"):
        assumed["threshold"] = recipe.threshold
    return assumed


def _default_modalities(backbones: Sequence[Backbone], recipe: Recipe) -> Sequence[str]:
    """Return the recipe's modalities, or rgb for a backbone whose input is cropped from photos."""
    return ("rgb",) if backbones[0].crop is not None and len(backbones) == 1 else recipe.modalities


def _default_fusion(modalities: Sequence[str], archs: Sequence[str]) -> str:
    """Return the fusion of branches that were trained together, or one by one."""
    if len(modalities) == 1:
        return "single"
    return "concat_linear" if len(archs) == 1 else "score_mean"


def _default_normalize(backbone: Backbone, recipe: Recipe, modality: str) -> Normalize:
    """Return the backbone's normalisation, else the recipe's; its first one for other modalities."""
    if backbone.normalize is not None:
        return Normalize(*backbone.normalize, backbone.channels)
    known = recipe.model.normalize
    first = next(iter(known.values()), Normalize())
    return evolve(known.get(modality, first), channels=backbone.channels)


def _describe_crop(modality: str, crop: ScaledCrop) -> dict[str, Any]:
    """Return a recipe's `crops.MODALITY`; a modality such as `rgb_2_7` is cropped from the photo `rgb`."""
    photo = next((name for name in MODALITIES if modality.startswith(f"{name}_")), None)
    return asdict(crop if crop.photo is not None else evolve(crop, photo=photo))
