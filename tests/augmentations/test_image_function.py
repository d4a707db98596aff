"""Any function on images as an augmentation: seeded, alike for all modalities, its failures in one line."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core import ConfigError, PluginError
from fas_core.testing import ContractError, check_augmentation
from fas_plugins.augmentations.image_function import TRUSTED, ImageFunction
from fas_plugins.augmentations.options import CallableOptions

Image = NDArray[np.uint8]
FACES = dict(
    zip(("rgb", "ir"), np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8), strict=True)
)


def darken(image: Image) -> Image:
    image //= 2  # of its own copy
    return image


def roll(image: Image) -> Image:
    """By the random numbers of both modules."""
    return np.roll(image, (random.randrange(32), np.random.randint(32)), axis=(0, 1))


def roll_otherwise(image: Image) -> Image:
    return np.roll(image, np.random.default_rng().integers(1, 32), axis=0)


def widen(image: Image) -> NDArray[np.float64]:
    return image / 255


class Roll:
    """As albumentations' transforms: keywords, a mapping, and random numbers of its own."""

    def __init__(self, p: float) -> None:
        self.p = p
        self.generator = np.random.default_rng()

    def set_random_seed(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)

    def __call__(self, *, image: Image) -> dict[str, Image]:
        return {"image": np.roll(image, self.generator.integers(32), axis=1) if self.p else image}


@pytest.fixture(autouse=True)
def acme(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The functions above, as the module `acme_images`, which is trusted."""
    monkeypatch.setenv(TRUSTED, "acme_images, acme_pictures")
    module = ModuleType("acme_images")
    vars(module).update(
        {item.__name__: item for item in (darken, roll, roll_otherwise, widen, Roll)}, number=3
    )
    monkeypatch.setitem(sys.modules, "acme_images", module)
    return


def options(name: str, **more: Any) -> CallableOptions:
    return CallableOptions(f"acme_images:{name}", **more)


def change(name: str, seed: int = 0, **more: Any) -> dict[str, Image]:
    return ImageFunction(options(name, **more))(FACES, np.random.default_rng(seed))


def test_a_function_may_write_to_its_argument() -> None:
    before = {name: face.copy() for name, face in FACES.items()}
    changed = change("darken")
    for name, face in FACES.items():
        np.testing.assert_array_equal(face, before[name])
        np.testing.assert_array_equal(changed[name], face // 2)


@pytest.mark.parametrize(
    ("name", "more"), [("roll", {}), ("Roll", {"arguments": {"p": 1.0}, "keyword": "image"})]
)
def test_modalities_get_the_same_random_numbers_and_these_are_the_samples(
    name: str, more: dict[str, Any]
) -> None:
    """Where a pixel goes is the same for both; the next sample's goes elsewhere."""
    shared = {"rgb": FACES["rgb"], "ir": 255 - FACES["rgb"]}
    function = ImageFunction(options(name, **more))
    changed = [function(shared, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    for faces in changed:
        np.testing.assert_array_equal(faces["ir"], 255 - faces["rgb"])
    assert np.array_equal(changed[0]["rgb"], changed[1]["rgb"])
    assert not np.array_equal(changed[0]["rgb"], changed[2]["rgb"])
    check_augmentation("callable", options(name, **more))


def test_random_numbers_of_others_go_on_as_before() -> None:
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    change("roll")
    assert (random.random(), np.random.random()) == expected


def test_arguments_may_be_none_at_all() -> None:
    with pytest.raises(PluginError, match=r"'callable': acme_images:Roll failed: TypeError: .*'p'"):
        change("Roll", arguments={})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "AttributeError: .*has no attribute 'nothing'"),
        ("number", r"TypeError: 'int' object is not callable"),
        ("Roll", "TypeError: .* positional argument"),
    ],
)
def test_what_fails_is_named_in_one_line(name: str, message: str) -> None:
    with pytest.raises(PluginError, match=f"^augmentation 'callable': acme_images:{name} failed: {message}"):
        change(name)


def test_a_package_that_is_missing_is_named() -> None:
    with pytest.raises(PluginError, match=r"acme_pictures:Blur failed: ModuleNotFoundError: No module named"):
        ImageFunction(CallableOptions("acme_pictures:Blur"))


def test_the_check_finds_other_random_numbers_and_other_images() -> None:
    with pytest.raises(ContractError, match=r"callable: .*the same generator gave other images"):
        check_augmentation("callable", options("roll_otherwise"))
    with pytest.raises(ContractError, match=r"gave float64 \(32, 32, 3\), not uint8"):
        check_augmentation("callable", options("widen"))


@pytest.mark.parametrize("target", ["", "acme", "acme.images", "acme: images", "acme:images.blur"])
def test_a_target_that_is_none_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match=r"'target' must read 'package\.module:attribute'"):
        CallableOptions(target)


@pytest.mark.parametrize("trusted", ["", "acme, images"])
def test_a_function_of_a_package_that_is_not_trusted_is_not_called(
    trusted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is its package imported: a recipe of a stranger could name any."""
    monkeypatch.setenv(TRUSTED, trusted)
    monkeypatch.setitem(sys.modules, "acme_images", None)  # importing it would be a PluginError
    with pytest.raises(ConfigError, match=r"acme_images:roll is not called: .* set FAS_TRUSTED_FUNCTIONS="):
        change("roll")


def test_a_recipe_starts_no_program(tmp_path: Path) -> None:
    file = tmp_path / "file"
    arguments = {"args": ["touch", str(file)]}
    with pytest.raises(ConfigError, match="subprocess:Popen is not called"):
        ImageFunction(CallableOptions("subprocess:Popen", arguments))
    assert not file.exists()
