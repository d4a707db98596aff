"""Warnings about settings of a recipe that are valid but do not fit each other."""

from __future__ import annotations

from fas_core.config.augment import Augment
from fas_core.config.recipe import Recipe


def describe_crop_mismatch(recipe: Recipe) -> str:
    """Return a warning if training's random crops differ in size from the evaluated patches, else "".

    A patch has `(model.patches.share * resize.crop) ** 2` of a square image's area. The crops fit if their
    range contains that area and their mean area is at most twice as large.
    """
    if recipe.model.patches is None or (crops := _find_crops(recipe)) is None:
        return ""
    area = (recipe.model.patches.share * recipe.resize.crop) ** 2
    key, (low, high) = crops
    if low <= area <= high and (low + high) / 2 <= 2 * area:
        return ""
    return (
        f"{key} [{low:g}, {high:g}] does not fit model.patches: a patch has {area:.3g} of the "
        f"image's area, so train on crops of about that size, e.g. --set "
        f"'{key}=[{0.5 * area:.2g}, {min(1.5 * area, 1):.2g}]'"
    )


def _find_crops(recipe: Recipe) -> tuple[str, tuple[float, float]] | None:
    """Return the key of the crops' range of areas, and the range; None where there are no crops of ours."""
    if isinstance(recipe.augment, Augment):
        return "augment.crop_scale", recipe.augment.crop_scale
    for choice in recipe.augment:
        if choice.name in ("crop", "fas-core:crop") and not choice.absence:
            return f"augment.{choice.name}.scale", choice.options.scale
    return None
