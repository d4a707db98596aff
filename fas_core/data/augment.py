"""What the augmentations of a recipe do to training images: the crop, the faces of a sample, a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.config.augment import Augment
from fas_core.config.components import AugmentationChoice
from fas_core.config.recipe import Recipe
from fas_core.config.structure import build_converter, structure
from fas_core.data.images import Image, crop, resize_square
from fas_core.descriptors import Augmentation
from fas_core.errors import ConfigError, PluginError, format_list
from fas_core.records.crop_region import CropRegion
from fas_core.records.model_input import Resize
from fas_core.records.samples import ATTACK, LIVE
from fas_core.registry import Registry

WHOLE = CropRegion(0.0, 0.0, 1.0, 1.0)
CLASSES = {"live": LIVE, "attack": ATTACK}


@frozen(eq=False)
class ChosenAugmentation:
    """An augmentation that a recipe lists, and how it does there."""

    component: Augmentation
    choice: AugmentationChoice

    @cached_property
    def target(self) -> Any:
        """What the component's target returns for its options; each process that is started makes its own."""
        return self.component.call(self.choice.options)

    def draw_crop(self, height: int, width: int, rng: np.random.Generator) -> CropRegion:
        """Return the part of a face of `height` x `width` pixels that is read.

        Raises:
            PluginError: the augmentation failed, or gave no part of the face.
        """
        region = self._call(self.target, height, width, rng)
        if not isinstance(region, CropRegion):
            raise PluginError(f"{self.component}: gave a {type(region).__name__}, not a CropRegion")
        return region

    def change(self, faces: Mapping[str, Image], label: int, rng: np.random.Generator) -> dict[str, Image]:
        """Return the faces `{modality: (S, S, 3)}` of a sample, those changed that the recipe says.

        Raises:
            PluginError: the augmentation failed, or gave other images than the contract says.
        """
        choice = self.choice
        if choice.only is not None and CLASSES[choice.only] != label:
            return dict(faces)
        chosen = {name: faces[name] for name in choice.modalities or faces}
        changed = self._call(self.target, chosen, rng)
        if not isinstance(changed, Mapping) or changed.keys() != chosen.keys():
            raise PluginError(f"{self.component}: must give the modalities that it is given: {list(chosen)}")
        for name, face in changed.items():
            self._check(face, chosen[name].shape)
        return {**faces, **changed}

    def draw_donors(self, labels: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.intp] | None:
        """Return (K, B) rows of the batch that each sample is mixed of; None where the batch is not mixed."""
        donors: NDArray[np.intp] | None = self._call(self.target.draw_donors, labels, rng)
        if donors is None or self._call(_are_of_one_class, donors, labels):
            return donors
        raise PluginError(
            f"{self.component}: donors must be (K, {len(labels)}) rows, each of a sample's label"
        )

    def mix(self, images: Image, donors: NDArray[np.intp]) -> Image:
        """Return (N, S, S, 3), the images of N samples; `donors` are (K, N) rows of `images`."""
        mixed: Image = self._call(self.target.mix, images, donors)
        self._check(mixed, (donors.shape[1], *images.shape[1:]))
        return mixed

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call what is the component's; what it raises names the component."""
        try:  # a context manager at each call would cost more than some augmentations
            return function(*arguments)
        except BaseException:
            with self.component.naming_failures(self.target):
                raise

    def _check(self, image: Any, shape: tuple[int, ...]) -> None:
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.shape != shape:
            is_array = isinstance(image, np.ndarray)
            kind = f"{image.dtype} {image.shape}" if is_array else type(image).__name__
            raise PluginError(f"{self.component}: gave {kind}: must give uint8 {shape}")


@frozen(eq=False)
class Augmentations:
    """The augmentations of a recipe, in order.

    Args:
        crops: the one that draws what is read of a face, if there is one.
        faces: those that change the faces of a sample.
        batches: those that mix the images of a batch.
        resize: what is read of a face without a crop: the part that evaluation reads; None: the whole face.
    """

    crops: tuple[ChosenAugmentation, ...]
    faces: tuple[ChosenAugmentation, ...]
    batches: tuple[ChosenAugmentation, ...]
    resize: Resize | None

    @classmethod
    def build(cls, recipe: Recipe, registry: Registry, modalities: Sequence[str]) -> Augmentations:
        """Return the augmentations of a recipe, built, for training that reads these modalities.

        Raises:
            ConfigError: one is of a modality that is not read.
            PluginError: no plugin provides one, or it cannot be built.
        """
        steps: dict[str, list[ChosenAugmentation]] = {"crop": [], "faces": [], "batch": []}
        for choice in list_augmentations(recipe, registry):
            if unknown := [name for name in choice.modalities if name not in modalities]:
                known = format_list(modalities)
                raise ConfigError(f"augment: {choice.name}: no {unknown[0]!r} images are read, only {known}")
            item = ChosenAugmentation(registry.find(Augmentation, choice.name), choice)
            _ = item.target
            steps[item.component.step].append(item)
        crops, faces, batches = map(tuple, steps.values())
        return cls(crops, faces, batches, None if recipe.crops else recipe.resize)

    def draw_crop(self, height: int, width: int, rng: np.random.Generator) -> CropRegion:
        """Return the part of a face of `height` x `width` pixels that is read."""
        for item in self.crops:
            return item.draw_crop(height, width, rng)
        return WHOLE if self.resize is None else find_centre(height, width, self.resize)

    def crop(self, faces: Mapping[str, Image], size: int, rng: np.random.Generator) -> dict[str, Image]:
        """Crop the faces of a sample, of any sizes, alike: `{modality: (size, size, 3)}`."""
        height, width = next(iter(faces.values())).shape[:2]
        region = self.draw_crop(height, width, rng)
        return {name: crop_region(face, region, size) for name, face in faces.items()}

    def change(self, faces: Mapping[str, Image], label: int, rng: np.random.Generator) -> dict[str, Image]:
        """Change the cropped faces `{modality: (S, S, 3)}` of a sample of this label; `rng` is its own."""
        changed = dict(faces)
        for item in self.faces:
            changed = item.change(changed, label, rng)
        return changed

    def plan_mixing(self, labels: NDArray[np.int8], rng: np.random.Generator) -> Mixing:
        """Draw what is mixed of what in a batch with these labels (B,); `rng` is the batch's own."""
        drawn = [(item, item.draw_donors(labels, rng)) for item in self.batches]
        return Mixing(tuple((item, donors) for item, donors in drawn if donors is not None))


@frozen(eq=False)
class Mixing:
    """Which samples of a batch are mixed into which, by each augmentation of batches in turn."""

    steps: tuple[tuple[ChosenAugmentation, NDArray[np.intp]], ...]

    def trace(self, rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """Return the rows of the batch that are needed before each step, and at last `rows`, all sorted."""
        needed = [rows]
        for _, donors in reversed(self.steps):
            needed.insert(0, np.unique([needed[0], *donors[:, needed[0]]]))
        return needed

    def mix(self, images: Image, needed: Sequence[NDArray[np.intp]]) -> Image:
        """Mix the images (M, S, S, 3) of one modality; `needed` are the rows that `trace` returns."""
        for (item, donors), before, after in zip(self.steps, needed[:-1], needed[1:], strict=True):
            images = item.mix(images, np.searchsorted(before, donors[:, after]))
        return images


def list_augmentations(recipe: Recipe, registry: Registry) -> tuple[AugmentationChoice, ...]:
    """Return the augmentations of a recipe in order, with all their options.

    Raises:
        ConfigError: no plugin provides one, or its options do not fit it.
    """
    augment = recipe.augment
    if isinstance(augment, Augment):
        items = augment.to_list()
    else:
        items = build_converter(registry).unstructure(augment)
    return structure(items, tuple[AugmentationChoice, ...], registry, "augment")


def _are_of_one_class(donors: NDArray[np.intp], labels: NDArray[np.int8]) -> bool:
    return donors.shape[1:] == labels.shape and bool((labels[donors] == labels).all())


def find_centre(height: int, width: int, resize: Resize) -> CropRegion:
    """Return the central square that evaluation reads, see `fas_core.data.images.prepare`."""
    side = max(round(min(height, width) * resize.crop), 1)
    return CropRegion((width - side) // 2 / width, (height - side) // 2 / height, side / width, side / height)


def crop_region(face: Image, region: CropRegion, size: int) -> Image:
    """(H, W, 3) -> (size, size, 3)."""
    return resize_square(crop(face, region.scale(*face.shape[:2])), size)
