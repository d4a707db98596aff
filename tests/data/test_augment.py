"""A recipe's augmentations: the published ones draw as ever, and a list of them does what it says."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core import ConfigError, PluginError
from fas_core.config.load import load_recipe
from fas_core.config.recipe import Augment, Recipe
from fas_core.data.augment import Augmentations, list_augmentations
from fas_core.data.images import crop, prepare, resize_square
from fas_core.records.model_input import Resize
from fas_core.registry import registry

Image = NDArray[np.uint8]
UNCHANGED = Augment(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0), flip=0.0, lighting=0.0)
LIVE, ATTACK = 1, 0
NOISE = np.random.default_rng(0).integers(0, 256, (3, 80, 60, 3), np.uint8)
FACES = {"rgb": NOISE[0], "depth": NOISE[1][:40, :30], "ir": NOISE[2]}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def build(augment: Any, **changes: Any) -> Augmentations:
    recipe = load_recipe("quickstart", registry(), {"augment": augment, **changes})
    return Augmentations.build(recipe, registry(), ("rgb", "depth", "ir"))


def build_published(augment: Augment) -> Augmentations:
    return Augmentations.build(Recipe(augment=augment), registry(), ("rgb", "depth", "ir"))


def augment_faces(
    augmentations: Augmentations, faces: dict[str, Image], size: int, seed: int, label: int = LIVE
) -> dict[str, Image]:
    generator = rng(seed)
    return augmentations.change(augmentations.crop(faces, size, generator), label, generator)


def augment_as_published(
    faces: dict[str, Image], size: int, augment: Augment, generator: np.random.Generator
) -> dict[str, Image]:
    """What fas 0.1 drew and did, written as one function."""
    height, width = next(iter(faces.values())).shape[:2]
    low, high = (math.log(value) for value in augment.crop_ratio)
    for _ in range(10):
        area, ratio = height * width * generator.uniform(*augment.crop_scale), generator.uniform(low, high)
        w, h = (round(math.sqrt(area * math.exp(sign * ratio))) for sign in (1, -1))
        if 0 < w <= width and 0 < h <= height:
            break
    else:
        ratio = min(max(width / height, augment.crop_ratio[0]), augment.crop_ratio[1])
        w, h = min(width, round(height * ratio)), min(height, round(width / ratio))
    x, y = generator.integers(width - w + 1) / width, generator.integers(height - h + 1) / height
    is_flipped = generator.random() < augment.flip
    images = {}
    for name, face in faces.items():
        down, across = face.shape[:2]
        box = (x * across, y * down, w / width * across, h / height * down)
        images[name] = resize_square(crop(face, box), size)[:, :: -1 if is_flipped else 1]
    values, vectors = (0.2175, 0.0188, 0.0045), [[0.4009, 0.7192, -0.5675], [-0.8140, -0.0045, -0.5808]]
    vectors.append([0.4203, -0.6948, -0.5836])
    for name in images if augment.lighting else ():
        shift = np.round((generator.normal(0, augment.lighting, 3) * values) @ np.array(vectors) * 255)
        images[name] = np.clip(images[name] + shift, 0, 255).astype(np.uint8)
    for name in images if augment.quality else ():
        for degrade in (blur, resample, add_noise, compress):
            if generator.random() < augment.quality:
                images[name] = degrade(np.ascontiguousarray(images[name]), generator)
    return images


def blur(image: Image, generator: np.random.Generator) -> Image:
    deviation = math.exp(generator.uniform(math.log(0.3), math.log(1.5)))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), deviation))


def resample(image: Image, generator: np.random.Generator) -> Image:
    small = max(1, round(len(image) * generator.uniform(0.4, 1.0)))
    reduced = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, image.shape[:2], interpolation=cv2.INTER_LINEAR))


def add_noise(image: Image, generator: np.random.Generator) -> Image:
    noise = generator.standard_normal(image.shape, np.float32)
    noise *= np.float32(math.exp(generator.uniform(0, math.log(8))))
    return np.clip(np.round(image + noise), 0, 255).astype(np.uint8)


def compress(image: Image, generator: np.random.Generator) -> Image:
    options = [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(30, 96))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image[..., ::-1], options)[1], cv2.IMREAD_COLOR))[
        ..., ::-1
    ]


@pytest.mark.parametrize(
    "augment",
    [
        Augment(),
        Augment((0.5, 1.0), lighting=0.3, quality=0.5),
        Augment((1.0, 1.0), (0.2, 0.3), flip=1.0),
        Augment(flip=0.0, lighting=0.0, quality=1.0, mix=0.5),
    ],
)
def test_the_numbers_of_the_mapping_give_the_published_images(augment: Augment) -> None:
    """To the last bit, and the random numbers after them, by which modalities are left out."""
    augmentations = build_published(augment)
    for seed in range(25):
        generator, other = rng(seed), rng(seed)
        expected = augment_as_published(FACES, 32, augment, other)
        changed = augmentations.change(augmentations.crop(FACES, 32, generator), LIVE, generator)
        for name in FACES:
            np.testing.assert_array_equal(changed[name], expected[name])
        assert generator.random() == other.random()


def test_the_list_that_a_mapping_stands_for_is_the_same() -> None:
    augment = Augment((0.3, 0.6), lighting=0.2, quality=0.3, mix=0.5)
    listed, mapped = build(augment.to_list()), build_published(augment)
    for seed in range(5):
        one, other = (augment_faces(item, FACES, 32, seed) for item in (listed, mapped))
        assert all(np.array_equal(one[name], other[name]) for name in FACES)
    names = [choice.name for choice in list_augmentations(Recipe(augment=augment), registry())]
    assert names == [
        "fas-core:crop",
        "fas-core:flip",
        "fas-core:lighting",
        "fas-core:quality",
        "fas-core:mix",
    ]


def test_nothing_asked_nothing_done() -> None:
    image = rng().integers(0, 256, (64, 64, 3), np.uint8)
    changed = augment_faces(build_published(UNCHANGED), {"rgb": image}, 64, 0)
    np.testing.assert_array_equal(changed["rgb"], image)


@pytest.mark.parametrize("share", [0.875, 1.0])
def test_without_a_crop_training_sees_what_evaluation_sees(share: float) -> None:
    augmentations = build([], **{"resize.crop": share})
    for shape in ((80, 60), (60, 80), (33, 47), (20, 20), (1, 1)):
        face = rng().integers(0, 256, (*shape, 3), np.uint8)
        changed = augment_faces(augmentations, {"rgb": face, "ir": 255 - face}, 32, 0)
        np.testing.assert_array_equal(changed["rgb"], prepare(face, 32, Resize(share)))
        np.testing.assert_array_equal(changed["ir"], prepare(255 - face, 32, Resize(share)))


def gradient(height: int, width: int) -> Image:
    """Red grows to the right and green downwards, from 0 to 255 in an image of any size."""
    image = np.zeros((height, width, 3), np.float64)
    image[..., 0] = (np.arange(width) + 0.5) * 255 / width
    image[..., 1] = ((np.arange(height) + 0.5) * 255 / height)[:, None]
    return image.round().astype(np.uint8)


def test_all_modalities_get_the_same_crop_and_flip_whatever_their_size() -> None:
    faces = {"rgb": gradient(120, 120), "depth": gradient(90, 90), "ir": gradient(200, 100)}
    for seed in range(20):
        changed = augment_faces(build(["crop", "flip"]), faces, 56, seed)
        for other in ("depth", "ir"):
            np.testing.assert_allclose(changed[other].astype(int), changed["rgb"].astype(int), atol=8)


def test_scale_of_the_crop_shows_in_the_image() -> None:
    augmentations = build([{"name": "crop", "scale": [0.25, 0.25]}])
    changed = augment_faces(augmentations, {"rgb": gradient(100, 100)}, 50, 3)["rgb"]
    spread = changed[..., 0].max() - changed[..., 0].min()
    assert 255 * 0.5 * math.sqrt(0.75) - 6 < spread < 255 * 0.5 * math.sqrt(4 / 3) + 6


def test_the_same_generator_gives_the_same_images() -> None:
    augmentations = build(["crop", "flip", "erase", "lighting", "gain", "gamma", "quality", "moire"])
    first, second, other = (augment_faces(augmentations, FACES, 32, seed)["rgb"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_they_are_done_in_their_order() -> None:
    """Black noise is not brighter; black in the dark is black."""
    erase = {"name": "erase", "probability": 1.0, "fill": "black", "area": [0.3, 0.4]}
    noise = {"name": "noise", "probability": 1.0, "deviation": [30, 30]}
    white = {"rgb": np.full((32, 32, 3), 128, np.uint8)}
    before, after = (
        augment_faces(build(order), white, 32, 1)["rgb"] for order in ([erase, noise], [noise, erase])
    )
    assert (after == 0).all(axis=2).sum() > 200
    assert (before == 0).all(axis=2).sum() < 200


def test_modalities_and_classes_that_are_not_named_stay() -> None:
    only = {"name": "gain", "probability": 1.0, "factor": [0.5, 0.5]}
    plain = augment_faces(build([]), FACES, 32, 0)
    some = augment_faces(build([{**only, "modalities": ["ir", "depth"]}]), FACES, 32, 0)
    assert list(some) == list(FACES)
    assert np.array_equal(some["rgb"], plain["rgb"])
    assert some["ir"].mean() < 0.6 * plain["ir"].mean()
    assert some["depth"].mean() < 0.6 * plain["depth"].mean()
    for kind, label in (("live", LIVE), ("attack", ATTACK)):
        augmentations = build([{**only, "only": kind}])
        changed, same = (
            augment_faces(augmentations, FACES, 32, 0, label=item)["rgb"] for item in (label, 1 - label)
        )
        assert np.array_equal(same, plain["rgb"])
        assert changed.mean() < 0.6 * plain["rgb"].mean()


def test_a_modality_that_is_not_read_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^augment: gain: no 'nir' images are read, only rgb, depth, ir$"):
        build([{"name": "gain", "modalities": ["rgb", "nir"]}])


class Provided:
    """A stranger's augmentation that gives what a test says."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, *arguments: Any) -> Any:
        return self.value(*arguments) if callable(self.value) else self.value


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Augmentations]:
    """`stranger(step, function)` gives the augmentations of a recipe that lists that of another package."""
    from fas_core import Augmentation
    from fas_core.failures import Provider
    from fas_core.registry import PluginRecord, Registry

    def make(step: Any, function: Any) -> Augmentations:
        target = "acme_fas:make"
        component = Augmentation(
            name="odd", summary="", target=target, step=step, provider=Provider("acme-fas", "1.0")
        )
        monkeypatch.setattr(Augmentation, "load", lambda _: lambda options: function)
        record = PluginRecord("acme", "acme-fas", "1.0", "active", components=(component,))
        plugins = Registry((record,))
        from fas_core.config.components import AugmentationChoice

        recipe = Recipe(augment=(AugmentationChoice("odd"),))
        return Augmentations.build(recipe, plugins, ("rgb", "depth", "ir"))

    return make


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda faces, _: {"rgb": faces["rgb"]}, r"must give the modalities that it is given: \['rgb', 'dep"),
        (lambda faces, _: None, "must give the modalities"),
        (
            lambda faces, _: {name: face / 255 for name, face in faces.items()},
            "gave float64 .*: must give ui",
        ),
        (lambda faces, _: {name: face[1:] for name, face in faces.items()}, r"gave uint8 \(31, 32, 3\)"),
        (lambda faces, _: dict.fromkeys(faces), r"gave NoneType: must give uint8 \(32, 32, 3\)"),
        (lambda faces, _: faces["nir"], "failed: KeyError: 'nir'"),
    ],
)
def test_what_another_packages_augmentation_does_wrong_names_it(
    stranger: Callable[..., Augmentations], value: Any, message: str
) -> None:
    augmentations = stranger("faces", Provided(value))
    with pytest.raises(PluginError, match=f"^augmentation 'odd' of acme-fas 1.0:? {message}"):
        augment_faces(augmentations, FACES, 32, 0)


def test_a_crop_that_is_none_is_refused(stranger: Callable[..., Augmentations]) -> None:
    from fas_core import CropRegion

    for value, message in (
        ((0, 0, 1, 1), "gave a tuple, not a CropRegion"),
        (lambda *_: CropRegion(0.5, 0, 0.6, 1), "failed: ValueError: .* is no part of a face"),
        (lambda *_: CropRegion(0, math.nan, 1, 1), "failed: ValueError: .* is no part of a face"),
    ):
        with pytest.raises(PluginError, match=f"^augmentation 'odd' of acme-fas 1.0:? {message}"):
            augment_faces(stranger("crop", Provided(value)), FACES, 32, 0)


def test_donors_of_the_other_class_are_refused(stranger: Callable[..., Augmentations]) -> None:
    class Swapping:
        def draw_donors(self, labels: Any, rng: Any) -> Any:
            return np.arange(len(labels))[None, ::-1]

    for mixing, labels in ((Swapping(), [1, 0]), (Swapping(), [0, 0, 1])):
        with pytest.raises(PluginError, match=r"'odd' of acme-fas 1.0: donors must be \(K, \d\) rows"):
            stranger("batch", mixing).plan_mixing(np.array(labels, np.int8), rng())
    assert stranger("batch", Swapping()).plan_mixing(np.array([1, 0, 1], np.int8), rng()).steps


def test_several_mixings_need_the_donors_of_donors() -> None:
    """Any part of a batch is mixed as the whole batch is."""
    labels = rng().integers(0, 2, 24).astype(np.int8)
    augmentations = build(["crop", *[{"name": "mix", "probability": 1.0}] * 3])
    images = rng().integers(0, 256, (24, 16, 16, 3), np.uint8)
    mixing = augmentations.plan_mixing(labels, rng(4))
    assert len(mixing.steps) == 3
    every = np.arange(24)
    whole = mixing.mix(images, mixing.trace(every))
    expected = images
    for item, donors in mixing.steps:
        expected = item.target.mix(expected, donors)
    np.testing.assert_array_equal(whole, expected)
    for own in (every[1::3], every[5:6]):
        needed = mixing.trace(own)
        assert set(own) <= set(needed[0])
        np.testing.assert_array_equal(mixing.mix(images[needed[0]], needed), whole[own])


def test_processes_that_are_started_anew_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    augmentations = build(["crop", "flip", {"name": "jpeg", "probability": 1.0}])
    copy = pickle.loads(pickle.dumps(augmentations))
    one, other = (augment_faces(item, FACES, 32, 3) for item in (augmentations, copy))
    assert all(np.array_equal(one[name], other[name]) for name in FACES)
