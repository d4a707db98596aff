"""Any function on NumPy images as an augmentation, such as those of albumentations."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from fas_core import ConfigError
from fas_core.component import load_target
from fas_core.failures import naming_failures, top_package
from fas_plugins.augmentations.options import CallableOptions

Image = NDArray[np.uint8]

TRUSTED = "FAS_TRUSTED_FUNCTIONS"
"""Environment variable: comma-separated packages of which a recipe may name functions."""


@frozen
class ImageFunction:
    """Calls the function for each modality of a sample with the same random numbers.

    These are those of the modules `random` and `numpy.random`, and of a function with a method
    `set_random_seed`, as albumentations' have. A function with other random numbers gives other images each
    time that a run is repeated; `fas_core.testing.check_augmentation` finds that.
    """

    options: CallableOptions
    function: Any = field(init=False)

    @function.default
    def _load(self) -> Any:
        _check_trusted(self.options.target)
        with self._naming_failures():
            target = load_target(self.options.target)
            arguments = self.options.arguments
            return target if arguments is None else target(**arguments)

    def __call__(self, faces: Mapping[str, Image], rng: np.random.Generator) -> dict[str, Image]:
        seed = int(rng.integers(2**32))
        return {name: self._change(face, seed) for name, face in faces.items()}

    def _change(self, image: Image, seed: int) -> Image:
        own = image.copy()  # a function may write to its argument
        with self._naming_failures(), seeding(self.function, seed):
            keyword = self.options.keyword
            changed = self.function(**{keyword: own})[keyword] if keyword else self.function(own)
            return np.ascontiguousarray(changed)

    def _naming_failures(self) -> Any:
        target = self.options.target
        return naming_failures(f"augmentation 'callable': {target}", None, top_package(target))


def _check_trusted(target: str) -> None:
    """Raise ConfigError unless the user trusts the package: a recipe is data, and could name any function."""
    package = top_package(target)
    if package not in {name.strip() for name in os.environ.get(TRUSTED, "").split(",")}:
        raise ConfigError(
            f"augment: callable: {target} is not called: a recipe can name any function of any package; "
            f"if you trust this one, set {TRUSTED}={package}"
        )


@contextmanager
def seeding(function: object, seed: int) -> Iterator[None]:
    """Seed the random numbers that a function draws in the block; those of others go on as before."""
    states = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    if callable(set_seed := getattr(function, "set_random_seed", None)):
        set_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
