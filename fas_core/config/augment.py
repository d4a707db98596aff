"""The section `augment` of a recipe: a list of augmentations, or the published ones by their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from attrs import field, frozen
from attrs import validators as v

from fas_core.config.components import AugmentationChoice
from fas_core.config.problems import InvalidValueError, Problems
from fas_core.config.validators import check_range
from fas_core.descriptors import Augmentation
from fas_core.registry import Registry


@frozen
class Augment:
    """The published augmentation by its numbers, in place of a list; see `to_list`.

    Args:
        crop_scale: area of the random crop as a fraction of the image, (low, high), uniform.
        crop_ratio: aspect ratio (width / height) of the crop, (low, high), log-uniform.
        flip: probability of a horizontal flip.
        lighting: standard deviation of the PCA colour noise (AlexNet, NeurIPS 2012, section 4.1).
        quality: chance of each loss of quality (blur, resampling, noise, JPEG) of an image.
        mix: chance that the quarters of a batch's images change places.
    """

    crop_scale: tuple[float, float] = field(default=(0.08, 1.0), validator=check_range(0, 1))
    crop_ratio: tuple[float, float] = field(default=(0.75, 4 / 3), validator=check_range(0, 100))
    flip: float = field(default=0.5, validator=[v.ge(0), v.le(1)])
    lighting: float = field(default=0.1, validator=[v.ge(0), v.lt(inf)])
    quality: float = field(default=0.0, validator=[v.ge(0), v.le(1)])
    mix: float = field(default=0.0, validator=[v.ge(0), v.le(1)])

    def to_list(self) -> list[dict[str, Any]]:
        """Return the list, as plain data, that gives the same images; what is never done is left out."""
        listed: list[dict[str, Any]] = [
            {"name": "fas-core:crop", "scale": self.crop_scale, "ratio": self.crop_ratio},
            {"name": "fas-core:flip", "probability": self.flip},  # draws a number also where it is 0
        ]
        if self.lighting:
            listed.append({"name": "fas-core:lighting", "deviation": self.lighting})
        if self.quality:
            listed.append({"name": "fas-core:quality", "probability": self.quality})
        if self.mix:
            listed.append({"name": "fas-core:mix", "probability": self.mix})
        return listed


def check_steps(choices: Sequence[AugmentationChoice], registry: Registry) -> None:
    """Refuse a list that cannot be done in its order, and options that an augmentation's step has not.

    Raises:
        InvalidValueError: with the path of each mistake in the list.
    """
    problems: Problems = []
    last = "crop"
    for index, choice in enumerate(choices):
        if choice.absence:
            continue
        step = registry.find(Augmentation, choice.name).step
        if step == "crop" and index > 0:
            problems.append((f"[{index}].name", f"{choice.name!r} crops the face: list it first, and once"))
        elif step == "faces" and last == "batch":
            message = f"{choice.name!r} changes single faces: list it before those that mix a batch"
            problems.append((f"[{index}].name", message))
        for option in ("modalities", "only"):
            if step != "faces" and getattr(choice, option):
                message = f"{choice.name!r} is for all images: leave it out"
                problems.append((f"[{index}].{option}", message))
        last = step
    if problems:
        raise InvalidValueError(problems)
