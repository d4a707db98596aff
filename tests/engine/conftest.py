"""A tiny data set that a FeatherNet learns in seconds: live is bright, attacks are dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fas_core.config import Recipe
from fas_core.plugins import registry
from fas_core.recipes import merge
from fas_core.structure import structure

SIDE = 48


def write_faces(root: Path, split: str, kind: str, count: int, level: int) -> None:
    rng = np.random.default_rng([level, count, len(split)])
    folder = root / split / kind
    folder.mkdir(parents=True)
    for number in range(count):
        image = rng.normal(level, 20, (SIDE, SIDE, 3)).clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{split}-{kind.replace('/', '-')}-{number:02}.png"), image)


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a `folder` data set: 16 + 16 to train on, 8 + 8 in dev and in test."""
    root = tmp_path_factory.mktemp("faces")
    for split, count in (("train", 16), ("dev", 8), ("test", 8)):
        write_faces(root, split, "live", count, 170)
        write_faces(root, split, "attack/print", count // 2, 80)
        write_faces(root, split, "attack/replay", count // 2, 60)
    return root


def plain_recipe(root: Path, **train: Any) -> dict[str, Any]:
    """As a recipe file would hold it."""
    return {
        "data": {"name": "folder", "root": str(root)},
        "modalities": ["rgb"],
        "model": {"backbone": "feathernet_a", "fusion": "single", "input_size": 64},
        "augment": {"crop_scale": [0.5, 1.0]},
        "loss": {"name": "focal", "gamma": 2},
        "train": {"epochs": 2, "batch_size": 8, "workers": 0, "device": "cpu", "lr": 0.02, **train},
    }


def structured(tree: dict[str, Any]) -> Recipe:
    return structure(tree, Recipe, registry(), "test")


@pytest.fixture(name="write_faces")
def write_faces_fixture() -> Callable[[Path, str, str, int, int], None]:
    """`write_faces(root, split, kind, count, grey level)`."""
    return write_faces


@pytest.fixture
def make_recipe() -> Callable[..., Recipe]:
    """`make_recipe(root, changes={...}, **train options)`."""

    def make(root: Path, changes: dict[str, Any] | None = None, **train: Any) -> Recipe:
        return structured(merge(plain_recipe(root, **train), changes or {}))

    return make
