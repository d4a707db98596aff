"""The recipe of an imported checkpoint's run: what the user says, and what is assumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fas_core.config.load import load_recipe
from fas_core.config.recipe import Normalize, Recipe
from fas_core.descriptors import Backbone
from fas_core.registry import Registry

DEFAULT_THRESHOLD = "fixed:0.5"
"""A published checkpoint has no dev scores to fit a threshold on."""


def build_recipe(
    base: str, registry: Registry, arch: str, options: Mapping[str, Any], overrides: Mapping[str, Any]
) -> Recipe:
    """Return the recipe of a checkpoint's run.

    Args:
        base: recipe with the values that neither the checkpoint nor the options have.
        registry: of the plugins.
        arch: the backbone.
        options: `modalities`, `fusion`, `mean` and `std`; None for the default.
        overrides: `{recipe path: value}`, which take precedence over everything.

    Raises:
        FasError: a name or a value is wrong.
    """
    backbone = registry.find(Backbone, arch)
    base_recipe = load_recipe(base, registry)
    modalities = list(options.get("modalities") or base_recipe.modalities)
    normalize = _default_normalize(backbone, base_recipe, modalities)
    channels = {key: options[key] for key in ("mean", "std") if options.get(key) is not None}
    settings = {
        "modalities": modalities,
        "model.backbone": arch,
        "model.fusion": options.get("fusion") or ("single" if len(modalities) == 1 else "concat_linear"),
        "model.input_size": backbone.input_size,
        "model.normalize": {
            name: {"mean": list(values.mean), "std": list(values.std)} | channels
            for name, values in normalize.items()
        },
        "threshold": DEFAULT_THRESHOLD,
    }
    return load_recipe(base, registry, settings | dict(overrides))


def list_assumptions(
    base: str,
    recipe: Recipe,
    registry: Registry,
    arch: str,
    options: Mapping[str, Any],
    overrides: Mapping[str, Any],
) -> dict[str, str]:
    """Return what a checkpoint does not say and the user did not, `{recipe path: value and origin}`.

    Args:
        base: recipe that the values come from.
        recipe: of the run.
        registry: of the plugins.
        arch: the backbone.
        options: as `build_recipe` takes them.
        overrides: as `build_recipe` takes them.
    """

    def is_set(path: str) -> bool:
        return any(f"{key}.".startswith(f"{path}.") or f"{path}.".startswith(f"{key}.") for key in overrides)

    assumed = {}
    if options.get("modalities") is None and not is_set("modalities"):
        assumed["modalities"] = f"{', '.join(recipe.modalities)} (recipe {base})"
    if options.get("mean") is None and options.get("std") is None and not is_set("model.normalize"):
        published = registry.find(Backbone, arch).normalize is not None
        assumed["model.normalize"] = f"as published for {arch}" if published else f"that of recipe {base}"
    if not is_set("resize.crop"):
        share = recipe.resize.crop
        assumed["resize.crop"] = f"{share:g}, the central {100 * share:g} % of a face's side (recipe {base})"
    if not is_set("threshold"):
        assumed["threshold"] = recipe.threshold
    return assumed


def _default_normalize(backbone: Backbone, recipe: Recipe, modalities: list[str]) -> dict[str, Normalize]:
    """Return the backbone's normalisation, else the recipe's; its first one for other modalities."""
    if backbone.normalize is not None:
        return dict.fromkeys(modalities, Normalize(*backbone.normalize))
    known = recipe.model.normalize
    first = next(iter(known.values()), Normalize())
    return {name: known.get(name, first) for name in modalities}
