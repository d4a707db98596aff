"""The contract check of augmentations accepts ours and names what others break."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fas_core import Augmentation, CropRegion
from fas_core.registry import registry
from fas_core.testing import ContractError, check_augmentation, check_component

Provide = Callable[..., str]
NAMES = [component.name for component in registry().all(Augmentation)]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "callable"])
def test_ours_pass(name: str) -> None:
    """By the defaults of a recipe that names them alone, and always where there is a probability."""
    check_augmentation(name)
    options = registry().find(Augmentation, name).options
    if "probability" in options.__annotations__:
        check_augmentation(name, options(probability=1.0))


def test_one_without_defaults_is_not_checked_by_its_name_alone() -> None:
    checked = check_component(registry().find(Augmentation, "callable"))
    assert checked.status == "not checked"
    assert checked.reason == "its option 'target' has no default: check it in a test"


def write(faces: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    for face in faces.values():
        face.setflags(write=True)
        face[:4] = 0
    return faces


class Counting:
    """Its images depend on how many there were before."""

    count = 0

    def __call__(self, faces: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        self.count += 1
        return {name: face // np.uint8(self.count) for name, face in faces.items()}


def shift_by_global(faces: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    return {name: face + np.uint8(random.randrange(1, 200)) for name, face in faces.items()}


@pytest.mark.parametrize(
    ("change", "broken", "message"),
    [
        (lambda faces, rng: list(faces.values()), "images", "gave a list, not images by modality"),
        (lambda faces, rng: {"rgb": faces["rgb"]}, "images", r"for three modalities: gave \['rgb'\], not"),
        (lambda faces, rng: {"rgb": faces["rgb"], **faces}, "call", "for one modality: it raised KeyError"),
        (
            lambda faces, rng: {name: face.astype(float) for name, face in faces.items()},
            "images",
            r"for three modalities: rgb: gave float64 \(32, 32, 3\), not uint8",
        ),
        (
            lambda faces, rng: {name: face[::2] for name, face in faces.items()},
            "images",
            r"gave uint8 \(16, 32, 3\), not uint8 \(32, 32, 3\)",
        ),
        (shift_by_global, "seeded", "the same generator gave other images"),
        (write, "writes to no image", "for three modalities: changed the images that it was given"),
        (lambda faces, rng: faces["rgb"].fill(0), "call", "it raised ValueError"),
    ],
)
def test_the_rule_that_a_change_of_faces_breaks(
    provide: Provide, change: Any, broken: str, message: str
) -> None:
    with pytest.raises(ContractError, match=f"^broken: .*{message}") as caught:
        check_augmentation(provide("augmentation", lambda options: change))
    assert caught.value.rule == broken


def test_one_that_remembers_is_refused(provide: Provide) -> None:
    with pytest.raises(ContractError, match="the same generator gave other images"):
        check_augmentation(provide("augmentation", lambda options: Counting()))


@pytest.mark.parametrize(
    ("draw", "broken", "message"),
    [
        (lambda height, width, rng: (0, 0, 1, 1), "crops", "gave a tuple, not a fas_core.CropRegion"),
        (lambda height, width, rng: CropRegion(0, 0, 32, 32), "call", "64 x 64 pixels: it raised ValueError"),
        (lambda height, width, rng: CropRegion(0, 0, 9 / width, 1), "call", "1 x 1 pixels: it raised Value"),
        (lambda height, width, rng: CropRegion(0, 0, 1, random.random()), "seeded", "gave another crop"),
    ],
)
def test_the_rule_that_a_crop_breaks(provide: Provide, draw: Any, broken: str, message: str) -> None:
    with pytest.raises(ContractError, match=f"^broken: .*{message}") as caught:
        check_augmentation(provide("augmentation", lambda options: draw, step="crop"))
    assert caught.value.rule == broken


class Mixing:
    """Mean of each sample and the next one of its class, unless a test says otherwise."""

    def draw_donors(self, labels: Any, rng: np.random.Generator) -> Any:
        donors = np.arange(len(labels))
        for label in (0, 1):
            donors[labels == label] = np.roll(donors[labels == label], 1)
        return np.stack([np.arange(len(labels)), donors])

    def mix(self, images: Any, donors: Any) -> Any:
        return images[donors].mean(axis=0).astype(np.uint8)


class OtherClass(Mixing):
    def draw_donors(self, labels: Any, rng: np.random.Generator) -> Any:
        return np.roll(np.arange(len(labels)), 1)[None]


class OutOfBatch(Mixing):
    def draw_donors(self, labels: Any, rng: np.random.Generator) -> Any:
        return np.arange(1, len(labels) + 1)[None]


class OneRow(Mixing):
    def draw_donors(self, labels: Any, rng: np.random.Generator) -> Any:
        return np.arange(len(labels))


class Unseeded(Mixing):
    def draw_donors(self, labels: Any, rng: np.random.Generator) -> Any:
        return super().draw_donors(labels, rng) if random.random() < 0.5 else None


class OfNeighbours(Mixing):
    def mix(self, images: Any, donors: Any) -> Any:
        mixed = super().mix(images, donors)
        return mixed // 2 + np.roll(mixed, 1, axis=0) // 2


class Float(Mixing):
    def mix(self, images: Any, donors: Any) -> Any:
        return images[donors].mean(axis=0)


def test_a_mixing_within_classes_passes(provide: Provide) -> None:
    check_augmentation(provide("augmentation", lambda options: Mixing(), step="batch"))


@pytest.mark.parametrize(
    ("mixing", "broken", "message"),
    [
        (OtherClass, "donors", "of both classes: a sample has a donor of the other class"),
        (OutOfBatch, "donors", "donors are rows of the batch, 0 to 6"),
        (OneRow, "donors", r"donors must be whole numbers, \(K, 7\), or None"),
        (Unseeded, "seeded", "the same generator gave other donors"),
        (OfNeighbours, "parts of a batch", "mixed otherwise without the others of their batch"),
        (Float, "images", "gave float64"),
        (object, "call", "draw_donors for a batch of both classes raised AttributeError"),
    ],
)
def test_the_rule_that_a_mixing_breaks(provide: Provide, mixing: Any, broken: str, message: str) -> None:
    with pytest.raises(ContractError, match=f"^broken: .*{message}") as caught:
        check_augmentation(provide("augmentation", lambda options: mixing(), step="batch"))
    assert caught.value.rule == broken
