"""Novelty: the distance against the inverse covariance, by hand, and in a model; the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fas_core.errors import ModelError
from fas_core.models.novelty import (
    RANK,
    SHRINKAGE,
    NoveltyDistance,
    fit_distance,
    load_novelty,
    save_novelty,
)
from fas_core.records.novelty import NoveltyLimit
from fas_core.testing.tiny import build_tiny_model

LIMIT = NoveltyLimit(1.5, 0.99, "dev", 20)


def test_a_distance_by_hand() -> None:
    # Two classes in the plane, at (0, 0) and (10, 0). Variance 4 along x and 1 along y: (2, 1) is at 1 + 1 of
    # the first class, so its distance is sqrt(2 / 2); (10, 3) is at 0 + 9 of the second.
    distance = NoveltyDistance(
        torch.tensor([[0.0, 0.0], [10.0, 0.0]]),
        torch.tensor([[1.0], [0.0]]),
        torch.tensor([4.0]),
        torch.tensor([1.0]),
    )
    found = distance(torch.tensor([[2.0, 1.0], [10.0, 3.0], [0.0, 0.0]]))
    assert found.tolist() == pytest.approx([1.0, np.sqrt(9 / 2), 0.0])


def test_with_all_eigenvectors_it_is_the_mahalanobis_distance() -> None:
    random = np.random.default_rng(0)
    size, classes = 6, np.array(["live"] * 80 + ["print"] * 60 + ["replay"] * 60)
    values = random.normal(size=(200, size)) @ random.normal(size=(size, size))
    values[80:] += 3
    distance = fit_distance(values.astype(np.float32), classes)
    means = np.stack([values[classes == name].mean(axis=0) for name in ("live", "print", "replay")])
    residuals = values - means[np.unique(classes, return_inverse=True)[1]]
    covariance = residuals.T @ residuals / 200
    inverse = np.linalg.inv(covariance + SHRINKAGE * np.trace(covariance) / size * np.eye(size))
    faces = random.normal(size=(5, size)) * 10
    squares = [[(face - mean) @ inverse @ (face - mean) for mean in means] for face in faces]
    found = distance(torch.from_numpy(faces.astype(np.float32)))
    np.testing.assert_allclose(found, np.sqrt(np.min(squares, axis=1) / size), rtol=1e-4)


def test_what_training_never_showed_is_far_away() -> None:
    random = np.random.default_rng(1)
    size = 3 * RANK
    values = random.normal(size=(400, size)).astype(np.float32)
    distance = fit_distance(values, np.array(["live", "print"] * 200))
    assert distance.tensors()["basis"].shape == (size, RANK)
    known = distance(torch.from_numpy(random.normal(size=(100, size)).astype(np.float32)))
    assert float(known.mean()) == pytest.approx(1, abs=0.1)
    assert float(distance(torch.full((1, size), 5.0))) > float(known.max()) + 1


def test_embeddings_that_never_vary_have_a_distance() -> None:
    distance = fit_distance(np.ones((10, 4), np.float32), np.array(["live"] * 10))
    assert bool(torch.isfinite(distance(torch.ones(1, 4))).all())


def test_a_model_gives_the_novelty_of_its_embedding() -> None:
    model = build_tiny_model(("rgb",), 16)
    images = {"rgb": torch.randint(0, 256, (3, 16, 16, 3), dtype=torch.uint8)}
    with torch.inference_mode():
        without = model(images)
        assert without.novelty is None
        model.novelty = fit_distance(np.eye(4, dtype=np.float32), np.array(["live"] * 4))
        outputs = model(images)
        torch.testing.assert_close(outputs.novelty, model.novelty(without.embedding))
        torch.testing.assert_close(outputs.score, without.score)
        model.novelty = nn.Identity()
        torch.testing.assert_close(model(images).novelty, without.embedding)
    assert not any("novelty" in name for name in model.state_dict())  # weights stay what they are


def test_the_file_is_what_was_saved(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(size=(30, 5)).astype(np.float32)
    distance = fit_distance(values, np.array(["live"] * 30))
    save_novelty(tmp_path / "novelty.safetensors", distance, LIMIT, "0123")
    faces = torch.randn(4, 5)
    torch.testing.assert_close(load_novelty(tmp_path / "novelty.safetensors")(faces), distance(faces))
    content = bytearray((tmp_path / "novelty.safetensors").read_bytes())
    content[-3] ^= 1
    (tmp_path / "novelty.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        load_novelty(tmp_path / "novelty.safetensors")
