"""The contract check of augmentations: see `fas_core.testing.checks`."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fas_core.descriptors import Augmentation
from fas_core.records.crop_region import CropRegion
from fas_core.testing.rules import rule
from fas_core.testing.support import SIDE, explain, load_component

SEEDS = range(12)
SIZES = ((64, 64), (40, 200), (201, 39), (1, 1))
"""Heights and widths of faces."""

LABELS = {
    "of both classes": (1, 0, 0, 1, 0, 1, 0),
    "of one class": (0, 0, 0, 0),
    "of two samples": (1, 0),
}

Image = NDArray[np.uint8]


@rule("call")
def check_augmentation(component: str | Augmentation, options: Any = None) -> None:
    """Check an augmentation's contract.

    It gives a part of the face, or the same modalities as uint8 of the same size, or donors of a sample's own
    label; this depends on the generator alone that it is given, and it writes to none of the images.
    """
    descriptor, target, options = load_component(Augmentation, component, options)
    name = descriptor.name

    def build() -> Any:
        with explain(name, "target(options)"):
            return target(options)

    checks = {"crop": _check_crop, "faces": _check_faces, "batch": _check_batch}
    checks[descriptor.step](name, build)


def _check_crop(name: str, build: Callable[[], Any]) -> None:
    draw = build()
    for height, width in SIZES:
        for seed in SEEDS:
            with explain(name, f"for a face of {height} x {width} pixels: it"):
                regions = [_draw(drawing, height, width, seed) for drawing in (draw, build())]
            with rule("crops"):
                region, kind = regions[0], type(regions[0]).__name__
                assert isinstance(region, CropRegion), f"{name}: gave a {kind}, not a fas_core.CropRegion"
            with rule("seeded"):
                assert regions[0] == regions[1], f"{name}: the same generator gave another crop"


def _draw(draw: Any, height: int, width: int, seed: int) -> Any:
    return draw(height, width, np.random.default_rng(seed))


def _check_faces(name: str, build: Callable[[], Any]) -> None:
    for text, faces in _example_faces().items():
        before = {key: face.copy() for key, face in faces.items()}
        change, fresh = build(), build()
        for seed in SEEDS:
            _stir(seed)
            changed = _change(name, text, change, faces, seed)
            _check_images(name, text, changed, faces)
        _stir(len(SEEDS))
        again = _change(name, text, fresh, faces, SEEDS[-1])
        with rule("seeded"):
            same = all(np.array_equal(changed[key], again[key]) for key in faces)
            assert same, f"{name}: {text}: the same generator gave other images"
        with rule("writes to no image"):
            unchanged = all(np.array_equal(before[key], faces[key]) for key in faces)
            assert unchanged, f"{name}: {text}: changed the images that it was given"


def _change(name: str, text: str, change: Any, faces: Mapping[str, Image], seed: int) -> dict[str, Image]:
    with explain(name, f"{text}: it"):
        changed = change(faces, np.random.default_rng(seed))
    with rule("images"):
        assert isinstance(changed, Mapping), (
            f"{name}: gave a {type(changed).__name__}, not images by modality"
        )
        assert changed.keys() == faces.keys(), f"{name}: {text}: gave {list(changed)}, not {list(faces)}"
    return dict(changed)


@rule("images")
def _check_images(name: str, text: str, changed: Mapping[str, Any], faces: Mapping[str, Image]) -> None:
    for key, image in changed.items():
        _check_image(name, f"{text}: {key}", image, faces[key].shape)


def _check_image(name: str, text: str, image: Any, shape: tuple[int, ...]) -> None:
    kind = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
    is_image = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.shape == shape
    assert is_image, f"{name}: {text}: gave {kind}, not uint8 {shape}"


def _check_batch(name: str, build: Callable[[], Any]) -> None:
    for text, values in LABELS.items():
        labels = np.array(values, np.int8)
        for seed in SEEDS:
            with explain(name, f"draw_donors for a batch {text}"):
                drawn = [item.draw_donors(labels, np.random.default_rng(seed)) for item in (build(), build())]
            with rule("seeded"):
                same = (drawn[0] is None) == (drawn[1] is None) and np.array_equal(drawn[0], drawn[1])
                assert same, f"{name}: the same generator gave other donors"
            if drawn[0] is not None:
                _check_donors(name, text, drawn[0], labels)
                _check_mix(name, text, build(), drawn[0])


@rule("donors")
def _check_donors(name: str, text: str, donors: Any, labels: NDArray[np.int8]) -> None:
    count = len(labels)
    is_table = isinstance(donors, np.ndarray) and donors.dtype.kind == "i" and donors.shape[1:] == (count,)
    assert is_table, f"{name}: {text}: donors must be whole numbers, (K, {count}), or None"
    inside = (donors >= 0).all() and (donors < count).all()
    assert inside, f"{name}: {text}: donors are rows of the batch, 0 to {count - 1}"
    assert (labels[donors] == labels).all(), f"{name}: {text}: a sample has a donor of the other class"


def _check_mix(name: str, text: str, mixing: Any, donors: NDArray[np.intp]) -> None:
    count = donors.shape[1]
    images = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)
    images.setflags(write=False)
    with explain(name, f"mix for a batch {text}"):
        whole, part = (mixing.mix(images, chosen) for chosen in (donors, donors[:, ::2]))
    with rule("images"):
        _check_image(name, text, whole, images.shape)
    with rule("parts of a batch"):
        same = np.array_equal(part, whole[::2])
        assert same, f"{name}: {text}: samples are mixed otherwise without the others of their batch"


def _example_faces() -> dict[str, dict[str, Image]]:
    """Return faces by a description; none can be written to."""
    noise = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
    examples = {
        "for three modalities": dict(zip(("rgb", "depth", "ir"), noise, strict=True)),
        "for one modality": {"ir": noise[0]},
        "for black images": {"rgb": np.zeros_like(noise[0]), "depth": np.zeros_like(noise[0])},
        "for white images": {"rgb": np.full_like(noise[0], 255)},
    }
    for faces in examples.values():
        for face in faces.values():
            face.setflags(write=False)
    return examples


def _stir(seed: int) -> None:
    """Seed the random numbers that an augmentation must not use."""
    random.seed(seed)
    np.random.seed(seed)
