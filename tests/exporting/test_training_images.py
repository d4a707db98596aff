"""The training images that exporters are given: those that training shows, and why there may be none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fas_core.config.recipe import Recipe
from fas_core.data.loader import training_loader
from fas_core.data.open import open_choice
from fas_core.errors import ConfigError, DataError
from fas_core.exporting.training_images import RunImages
from fas_core.registry import registry
from fas_core.runs.run import Run

MakeRecipe = Callable[..., Recipe]


def test_they_are_those_of_training(training_faces: Path, make_recipe: MakeRecipe, tmp_path: Path) -> None:
    """Augmented, in its order, epoch after epoch; and the same each time."""
    recipe = make_recipe(training_faces)  # 32 samples in batches of 8
    images = RunImages(Run(tmp_path, recipe, registry()))
    assert [images.count(epochs) for epochs in (0.01, 0.5, 1, 2.25)] == [1, 2, 4, 9]
    read = [batch.images["rgb"] for batch in images.read(1.5)]
    samples = open_choice(recipe.data, registry()).samples("train")
    shown = [
        batch.images["rgb"] for epoch in (0, 1) for batch in training_loader(samples, recipe, epoch=epoch)
    ]
    assert len(read) == 6
    assert all(torch.equal(one, other) for one, other in zip(read, shown[:6], strict=True))
    assert all(
        torch.equal(one, batch.images["rgb"]) for one, batch in zip(read, images.read(1.5), strict=True)
    )


def test_patches_and_missing_data_are_refused(
    training_faces: Path, make_recipe: MakeRecipe, tmp_path: Path
) -> None:
    recipe = make_recipe(training_faces, {"model": {"patches": {"grid": 2}}})
    with pytest.raises(ConfigError, match="leave --recover out"):
        RunImages(Run(tmp_path, recipe, registry())).count(1)
    gone = make_recipe(tmp_path / "gone")
    with pytest.raises(DataError, match="its training data is needed to recover"):
        RunImages(Run(tmp_path, gone, registry())).count(1)
