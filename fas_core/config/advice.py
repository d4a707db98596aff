"""Warnings about settings of a recipe that are valid but do not fit each other."""

from __future__ import annotations

from fas_core.config.recipe import Recipe


def describe_crop_mismatch(recipe: Recipe) -> str:
    """Return a warning if training's random crops differ in size from the evaluated patches, else "".

    A patch has `(model.patches.share * resize.crop) ** 2` of a square image's area. The crops fit if their
    range `augment.crop_scale` contains that area and their mean area is at most twice as large.
    """
    if recipe.model.patches is None:
        return ""
    area = (recipe.model.patches.share * recipe.resize.crop) ** 2
    low, high = recipe.augment.crop_scale
    if low <= area <= high and (low + high) / 2 <= 2 * area:
        return ""
    return (
        f"augment.crop_scale [{low:g}, {high:g}] does not fit model.patches: a patch has {area:.3g} of the "
        f"image's area, so train on crops of about that size, e.g. --set "
        f"'augment.crop_scale=[{0.5 * area:.2g}, {min(1.5 * area, 1):.2g}]'"
    )
